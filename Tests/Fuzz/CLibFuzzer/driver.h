#pragma once
#include <stddef.h>
#include <stdint.h>

/// libFuzzer as a library (compiler-rt, FuzzerInterface.h does not declare it): runs `test` on its own inputs until the options say stop.
int LLVMFuzzerRunDriver(int *argc, char ***argv, int (*test)(const uint8_t *bytes, size_t count));
