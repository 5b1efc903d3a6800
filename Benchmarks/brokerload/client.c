#include "client.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { TEXT_BYTES_MAX = 200 };

void fail(const char *what) {
    if (errno) {
        fprintf(stderr, "brokerload: %s: %s\n", what, strerror(errno));
    } else {
        fprintf(stderr, "brokerload: %s\n", what);
    }
    exit(1);
}

double seconds_now(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec + (double)time.tv_nsec * 1e-9;
}

double own_cpu_seconds(void) {
    struct timespec time;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
    return (double)time.tv_sec + (double)time.tv_nsec * 1e-9;
}

int dial(int port) {
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    if (fd < 0) fail("socket");
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (connect(fd, (const struct sockaddr *)&address, sizeof address) < 0) fail("connect");
    int yes = 1;
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
    return fd;
}

void send_all(int fd, const uint8_t *bytes, size_t count) {
    while (count > 0) {
        ssize_t sent = write(fd, bytes, count);
        if (sent < 0 && errno == EINTR) continue;
        if (sent <= 0) fail("write to the broker");
        bytes += sent;
        count -= (size_t)sent;
    }
}

static void receive_all(int fd, uint8_t *bytes, size_t count) {
    while (count > 0) {
        ssize_t received = read(fd, bytes, count);
        if (received < 0 && errno == EINTR) continue;
        if (received == 0) errno = 0;
        if (received <= 0) fail("the broker closed the connection");
        bytes += received;
        count -= (size_t)received;
    }
}

size_t put_remaining_length(uint8_t *out, uint32_t length) {
    size_t at = 0;
    do {
        uint8_t digit = length % 128;
        length /= 128;
        out[at++] = length > 0 ? digit | 0x80 : digit;
    } while (length > 0);
    return at;
}

size_t put_string(uint8_t *out, const char *text, size_t bytes) {
    out[0] = (uint8_t)(bytes >> 8);
    out[1] = (uint8_t)bytes;
    memcpy(out + 2, text, bytes);
    return 2 + bytes;
}

static size_t bounded_length(const char *text) {
    size_t bytes = strlen(text);
    errno = 0;
    if (bytes > TEXT_BYTES_MAX) fail("a client identifier or filter is too long");
    return bytes;
}

void connect_session(int fd, const char *client, int clean) {
    size_t bytes = bounded_length(client);
    uint8_t out[TEXT_BYTES_MAX + 32];
    size_t at = 0;
    out[at++] = 0x10;
    at += put_remaining_length(out + at, (uint32_t)(10 + 2 + bytes));
    at += put_string(out + at, "MQTT", 4);
    out[at++] = 4;                    // level 4: MQTT 3.1.1
    out[at++] = clean ? 0x02 : 0x00;  // no will, no user name
    out[at++] = 0;                    // no keep alive
    out[at++] = 0;
    at += put_string(out + at, client, bytes);
    send_all(fd, out, at);

    uint8_t answer[4];
    receive_all(fd, answer, sizeof answer);
    errno = 0;
    if (answer[0] != 0x20 || answer[3] != 0) fail("the broker refused the connection");
}

void subscribe_and_wait(int fd, const char *filter, int qos) {
    size_t bytes = bounded_length(filter);
    uint8_t out[TEXT_BYTES_MAX + 32];
    size_t at = 0;
    out[at++] = 0x82;
    at += put_remaining_length(out + at, (uint32_t)(2 + 2 + bytes + 1));
    out[at++] = 0;
    out[at++] = 1;
    at += put_string(out + at, filter, bytes);
    out[at++] = (uint8_t)qos;
    send_all(fd, out, at);

    uint8_t answer[5];
    receive_all(fd, answer, sizeof answer);
    errno = 0;
    if (answer[0] != SUBACK << 4 || answer[4] != qos) fail("the broker did not grant the subscription");
}

void disconnect(int fd) {
    static const uint8_t bye[] = {0xE0, 0};
    send_all(fd, bye, sizeof bye);
    close(fd);
}

int next_packet(const uint8_t *bytes, size_t count, struct packet *found) {
    size_t length = 0;
    for (size_t at = 1; at < count && at <= 4; at++) {
        length |= (size_t)(bytes[at] & 0x7F) << (7 * (at - 1));
        if (bytes[at] & 0x80) continue;
        if (count - at - 1 < length) return 0;
        *found = (struct packet){
            .head = bytes[0], .body = bytes + at + 1, .body_bytes = length, .whole_bytes = at + 1 + length};
        return 1;
    }
    errno = 0;
    if (count > 4) fail("the broker sent a remaining length of more than four bytes");
    return 0;
}
