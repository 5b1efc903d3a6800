// Preloaded under valgrind. Valgrind (3.19 at least) writes into the mask that it is given for sigsuspend, and crashes because the one that
// libdispatch parks the main thread with is constant. A copy can be written to.
#define _GNU_SOURCE
#include <signal.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { KERNEL_SIGNAL_SET_BYTES = 8 };

int sigsuspend(const sigset_t *mask) {
    sigset_t copy = *mask;
    return (int)syscall(SYS_rt_sigsuspend, &copy, KERNEL_SIGNAL_SET_BYTES);
}
