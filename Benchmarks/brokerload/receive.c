#include "client.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { IN_BYTES = 1 << 20, OUT_BYTES = 1 << 18 };

// What a client does at the very least: find the packets, acknowledge, throw away. Its rate is the limit that a consumer is compared with.
int receive_readings(const struct options *options) {
    static uint8_t in[IN_BYTES];
    static uint8_t out[OUT_BYTES];
    int fd = dial(options->port);
    connect_session(fd, options->client, !options->persistent);
    // A persistent session has its subscription and messages come at once; with a fresh one the loop below takes no SUBACK for a message.
    if (!options->persistent) subscribe_and_wait(fd, options->filter, options->qos);
    fprintf(stderr, "ready\n");

    size_t have = 0;
    long received = 0;
    double first = 0;
    double cpu_before = own_cpu_seconds();
    while (received < options->count) {
        ssize_t count = read(fd, in + have, sizeof in - have);
        if (count < 0 && errno == EINTR) continue;
        if (count == 0) errno = 0;
        if (count <= 0) fail("the broker closed the connection");
        if (first == 0) first = seconds_now();
        have += (size_t)count;
        size_t at = 0;
        size_t answers = 0;
        struct packet packet;
        while (next_packet(in + at, have - at, &packet)) {
            at += packet.whole_bytes;
            if (packet.head >> 4 != PUBLISH) continue;
            received++;
            if ((packet.head >> 1 & 3) == 0) continue;
            size_t topic_bytes = packet.body_bytes < 2 ? 0 : (size_t)packet.body[0] << 8 | packet.body[1];
            errno = 0;
            if (packet.body_bytes < topic_bytes + 4) fail("the broker sent a PUBLISH that ends before its packet identifier");
            out[answers++] = PUBACK << 4;
            out[answers++] = 2;
            out[answers++] = packet.body[2 + topic_bytes];
            out[answers++] = packet.body[3 + topic_bytes];
            if (answers == sizeof out) {
                send_all(fd, out, answers);
                answers = 0;
            }
        }
        memmove(in, in + at, have - at);
        have -= at;
        if (answers > 0) send_all(fd, out, answers);
    }
    double seconds = seconds_now() - first;
    disconnect(fd);
    printf(
        "received=%ld seconds=%.6f rate=%.0f cpu_seconds=%.6f\n", received, seconds, (double)received / seconds,
        own_cpu_seconds() - cpu_before);
    return 0;
}

// Leaves an empty persistent session at the broker, whatever it held before.
int register_session(const struct options *options) {
    int former = dial(options->port);
    connect_session(former, options->client, 1);
    disconnect(former);
    int fd = dial(options->port);
    connect_session(fd, options->client, 0);
    subscribe_and_wait(fd, options->filter, options->qos);
    disconnect(fd);
    printf("registered=%s\n", options->client);
    return 0;
}
