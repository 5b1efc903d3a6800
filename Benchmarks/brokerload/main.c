// brokerload: loads an MQTT broker, or empties it, at so little cost of its own that the broker is the bound.
#include "client.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char usage[] =
    "brokerload publish  --port P --count N [--qos 0|1|2] [--devices D] [--window W] [--rate R] [--client ID]\n"
    "        publishes N JSON readings; W of them unacknowledged at most, R a second at most\n"
    "brokerload receive  --port P --count N [--qos 0|1] --client ID (--persistent | --filter F)\n"
    "        receives N messages, acknowledges those of each read at once and throws them away; the clock starts with the first\n"
    "brokerload register --port P [--qos 0|1|2] --client ID --filter F\n"
    "        leaves an empty persistent session with one subscription at the broker\n";

static _Noreturn void bad_usage(const char *why) {
    fprintf(stderr, "brokerload: %s\n%s", why, usage);
    exit(64);
}

static double number(const char *text, double least, double most) {
    char *end = NULL;
    errno = 0;
    double value = strtod(text, &end);
    if (errno || end == text || *end || value < least || value > most) bad_usage("a number is missing or out of range");
    return value;
}

int main(int count, char **arguments) {
    // A broker that goes away is an error of the write.
    signal(SIGPIPE, SIG_IGN);
    if (count < 2) bad_usage("no command");
    char own_name[32];
    snprintf(own_name, sizeof own_name, "brokerload-%d", (int)getpid());
    struct options options = {.client = own_name, .devices = 1000, .window = 1000, .qos = 1};
    for (int at = 2; at < count; at++) {
        const char *name = arguments[at];
        if (!strcmp(name, "--persistent")) {
            options.persistent = 1;
            continue;
        }
        if (at + 1 == count) bad_usage("an option without a value");
        const char *value = arguments[++at];
        if (!strcmp(name, "--port")) options.port = (int)number(value, 1, 65535);
        else if (!strcmp(name, "--count")) options.count = (long)number(value, 1, 1e12);
        else if (!strcmp(name, "--qos")) options.qos = (int)number(value, 0, 2);
        else if (!strcmp(name, "--devices")) options.devices = (long)number(value, 1, 99999);
        else if (!strcmp(name, "--window")) options.window = (long)number(value, 1, 60000);
        else if (!strcmp(name, "--rate")) options.rate = number(value, 1, 1e9);
        else if (!strcmp(name, "--client")) options.client = value;
        else if (!strcmp(name, "--filter")) options.filter = value;
        else bad_usage("an unknown option");
    }
    if (options.port == 0) bad_usage("no --port");
    const char *command = arguments[1];
    if (!strcmp(command, "register")) {
        if (!options.filter) bad_usage("no --filter");
        return register_session(&options);
    }
    if (options.count == 0) bad_usage("no --count");
    if (!strcmp(command, "publish")) return publish_readings(&options);
    if (!strcmp(command, "receive")) {
        if (options.qos > 1) bad_usage("it receives at QoS 0 and 1 only");
        if (!options.persistent && !options.filter) bad_usage("neither --persistent nor --filter");
        return receive_readings(&options);
    }
    bad_usage("an unknown command");
}
