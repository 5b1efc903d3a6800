// The little of MQTT 3.1.1 that a load needs: blocking sockets, and packets of fixed shape.
#pragma once

#include <stddef.h>
#include <stdint.h>

struct options {
    const char *client;
    const char *filter;
    long count;
    long devices;
    long window;
    double rate;
    int port;
    int qos;
    int persistent;
};

enum packet_type { PUBLISH = 3, PUBACK = 4, PUBREC = 5, PUBREL = 6, PUBCOMP = 7, SUBACK = 9 };

// A packet found whole in a buffer: its first byte, and its body after the fixed header.
struct packet {
    const uint8_t *body;
    size_t body_bytes;
    size_t whole_bytes;
    uint8_t head;
};

// Each of these ends the process with a message when the peer or the socket fails: a load that did not run has no figure.
int dial(int port);
void send_all(int fd, const uint8_t *bytes, size_t count);
void connect_session(int fd, const char *client, int clean);
void subscribe_and_wait(int fd, const char *filter, int qos);
void disconnect(int fd);
_Noreturn void fail(const char *what);

// Finds the first packet of a buffer. Returns 1 when it is whole, 0 when more bytes have to come.
int next_packet(const uint8_t *bytes, size_t count, struct packet *found);
// Writes a remaining length; returns the number of bytes it took (1 to 4).
size_t put_remaining_length(uint8_t *out, uint32_t length);
size_t put_string(uint8_t *out, const char *text, size_t bytes);

double seconds_now(void);
double own_cpu_seconds(void);

// The commands; each prints one line of name=value pairs.
int publish_readings(const struct options *options);
int receive_readings(const struct options *options);
int register_session(const struct options *options);
