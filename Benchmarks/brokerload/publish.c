#include "client.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>

enum {
    OUT_BYTES = 1 << 18,
    IN_BYTES = 1 << 16,
    // No PUBLISH of ours is longer: header, topic of 29 bytes, packet identifier, payload of at most 256.
    MESSAGE_BYTES_MAX = 512,
};

// A reading of some 130 bytes, stamped with the time of its making.
static int put_reading(char *out, size_t room, long sequence, long device) {
    static time_t formatted_second;
    static char second_text[32];
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    if (now.tv_sec != formatted_second) {
        struct tm calendar;
        gmtime_r(&now.tv_sec, &calendar);
        strftime(second_text, sizeof second_text, "%Y-%m-%dT%H:%M:%S", &calendar);
        formatted_second = now.tv_sec;
    }
    return snprintf(
        out, room, "{\"ts\":\"%s.%06ldZ\",\"temp\":%ld.%ld,\"hum\":%ld.%ld,\"seq\":%ld,\"ok\":%s,\"unit\":\"C\",\"fw\":\"1.4.%ld\"}",
        second_text, now.tv_nsec / 1000, 15 + sequence % 20, sequence % 10, 40 + sequence % 30, sequence % 7, sequence,
        sequence % 2 ? "true" : "false", device % 9);
}

static size_t put_publish(uint8_t *out, long sequence, const struct options *options) {
    char topic[64];
    char payload[256];
    long device = sequence % options->devices;
    int topic_bytes = snprintf(topic, sizeof topic, "site/%ld/dev/d%05ld/telemetry", device % 10, device);
    int payload_bytes = put_reading(payload, sizeof payload, sequence, device);
    size_t at = 0;
    out[at++] = (uint8_t)(PUBLISH << 4 | options->qos << 1);
    at += put_remaining_length(out + at, (uint32_t)(2 + topic_bytes + (options->qos ? 2 : 0) + payload_bytes));
    at += put_string(out + at, topic, (size_t)topic_bytes);
    if (options->qos) {
        // The window is smaller than 65,535, so an identifier is free again long before its turn comes.
        unsigned identifier = (unsigned)(sequence % 65535) + 1;
        out[at++] = (uint8_t)(identifier >> 8);
        out[at++] = (uint8_t)identifier;
    }
    memcpy(out + at, payload, (size_t)payload_bytes);
    return at + (size_t)payload_bytes;
}

// Takes the PUBACKs and PUBCOMPs that have come, and answers PUBREC; waits for some when `must_wait`. Returns how many messages are through.
static long take_acknowledgements(int fd, int must_wait) {
    static uint8_t in[IN_BYTES];
    static size_t have;
    static uint8_t releases[IN_BYTES];
    size_t release_bytes = 0;
    ssize_t received = recv(fd, in + have, sizeof in - have, must_wait ? 0 : MSG_DONTWAIT);
    if (received < 0 && (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR)) return 0;
    if (received == 0) errno = 0;
    if (received <= 0) fail("the broker closed the connection");
    have += (size_t)received;
    long taken = 0;
    size_t at = 0;
    struct packet packet;
    while (next_packet(in + at, have - at, &packet)) {
        if (packet.head >> 4 == PUBACK || packet.head >> 4 == PUBCOMP) taken++;
        if (packet.head >> 4 == PUBREC) {
            memcpy(releases + release_bytes, in + at, 4);
            releases[release_bytes] = PUBREL << 4 | 2;
            release_bytes += 4;
        }
        at += packet.whole_bytes;
    }
    memmove(in, in + at, have - at);
    have -= at;
    if (release_bytes > 0) send_all(fd, releases, release_bytes);
    return taken;
}

int publish_readings(const struct options *options) {
    static uint8_t out[OUT_BYTES];
    int fd = dial(options->port);
    connect_session(fd, options->client, 1);
    long sent = 0;
    long acknowledged = 0;
    double start = seconds_now();
    while (sent < options->count || (options->qos && acknowledged < options->count)) {
        double due = options->rate > 0 ? (seconds_now() - start) * options->rate : (double)options->count;
        size_t bytes = 0;
        while (sent < options->count && (double)sent < due && bytes <= sizeof out - MESSAGE_BYTES_MAX
               && (!options->qos || sent - acknowledged < options->window)) {
            bytes += put_publish(out + bytes, sent, options);
            sent++;
        }
        if (bytes > 0) send_all(fd, out, bytes);
        int is_full = options->qos && sent - acknowledged >= options->window;
        if (options->qos && acknowledged < sent) acknowledged += take_acknowledgements(fd, is_full || sent == options->count);
        if (options->rate > 0 && sent < options->count && !is_full) {
            struct timespec pause = {.tv_sec = 0, .tv_nsec = 100000};
            nanosleep(&pause, NULL);
        }
    }
    double seconds = seconds_now() - start;
    disconnect(fd);
    printf(
        "published=%ld acknowledged=%ld seconds=%.6f rate=%.0f cpu_seconds=%.6f\n", sent, acknowledged, seconds, (double)sent / seconds,
        own_cpu_seconds());
    return 0;
}
