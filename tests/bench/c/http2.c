/* One exchange of HTTP/2 at a time on a connection: RFC 9113 as far as that needs it, header fields all literal. */
#include "load.h"

#include <string.h>

enum { DATA, HEADERS, PRIORITY, RST_STREAM, SETTINGS, PUSH_PROMISE, PING, GOAWAY, WINDOW_UPDATE, CONTINUATION };
enum { END_STREAM = 1, ACK = 1, END_HEADERS = 4, PADDED = 8, WITH_PRIORITY = 32 };
enum { INITIAL_WINDOW_SIZE = 4, ENABLE_PUSH = 2, HEADER_TABLE_SIZE = 1 };

static char *put32(char *at, uint32_t value) {
    for (int shift = 24; shift >= 0; shift -= 8) *at++ = (char)(value >> shift);
    return at;
}

static uint32_t get32(const char *at) {
    const unsigned char *b = (const unsigned char *)at;
    return (uint32_t)b[0] << 24 | (uint32_t)b[1] << 16 | (uint32_t)b[2] << 8 | b[3];
}

static char *frame(char *at, size_t size, int type, int flags, uint32_t stream) {
    put32(at, (uint32_t)size << 8);
    at[3] = (char)type;
    at[4] = (char)flags;
    return put32(at + 5, stream);
}

static int send_frame(struct link *link, int type, int flags, uint32_t stream, const char *payload, size_t size) {
    char text[128];
    memcpy(frame(text, size, type, flags, stream), payload, size);
    return link_write(link, text, 9 + size);
}

int http2_start(struct link *link) {
    char text[128] = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", *at = text + 24;
    at = frame(at, 18, SETTINGS, 0, 0);
    /* No table of the server's for headers either: an answer's :status is then always written out or static. */
    const uint32_t settings[][2] = {{HEADER_TABLE_SIZE, 0}, {ENABLE_PUSH, 0}, {INITIAL_WINDOW_SIZE, INT32_MAX}};
    for (int i = 0; i < 3; i++) {
        *at++ = 0;
        *at++ = (char)settings[i][0];
        at = put32(at, settings[i][1]);
    }
    at = put32(frame(at, 4, WINDOW_UPDATE, 0, 0), INT32_MAX - 65535);
    link->stream = (uint32_t)-1;
    link->window = link->initial_window = 65535;
    link->unacknowledged = 0;
    return link_write(link, text, (size_t)(at - text));
}

static char *number(char *at, int first, int bits, size_t value) { /* RFC 7541, 5.1 */
    size_t most = (1u << bits) - 1;
    *at++ = (char)(first | (int)(value < most ? value : most));
    if (value < most) return at;
    for (value -= most; value >= 128; value >>= 7) *at++ = (char)(value | 128);
    *at++ = (char)value;
    return at;
}

static char *string(char *at, const char *text, size_t size) {
    at = number(at, 0, 7, size);
    memcpy(at, text, size);
    return at + size;
}

static char *fields(char *at, const struct exchange *exchange) {
    *at++ = (char)0x83; /* :method: POST */
    *at++ = (char)0x87; /* :scheme: https */
    at = string(number(at, 0, 4, 4), exchange->path, strlen(exchange->path));
    at = string(number(at, 0, 4, 1), exchange->authority, strlen(exchange->authority));
    for (char *const *header = exchange->headers; *header; header++) {
        const char *colon = strchr(*header, ':'), *value = colon + 1 + strspn(colon + 1, " ");
        *at++ = 0;
        at = string(string(at, *header, (size_t)(colon - *header)), value, strlen(value));
    }
    return at;
}

static int status(const char *block, size_t size) {
    while (size && (*block & 0xe0) == 0x20) block++, size--; /* a new size of the table */
    if (size && (unsigned char)*block == 0x88) return 200;
    return size ? 999 : 0; /* anything else is wrong here, whatever it is */
}

/* Take one frame; 1 where it ends the stream. */
static int receive(struct link *link, struct exchange *exchange) {
    while (link->to - link->from < 9)
        if (link_fill(link)) return -1;
    size_t size = get32(link->in + link->from) >> 8;
    int type = link->in[link->from + 3], flags = link->in[link->from + 4];
    uint32_t stream = get32(link->in + link->from + 5);
    if (size > 16384) return link_fail(link, "too large a frame");
    while (link->to - link->from < 9 + size)
        if (link_fill(link)) return -1;
    char *payload = link->in + link->from + 9;
    link->from += 9 + size;
    size_t padding = 0;
    switch (type) {
    case SETTINGS:
        if (flags & ACK) return 0;
        for (size_t i = 0; i + 6 <= size; i += 6)
            if (payload[i + 1] == INITIAL_WINDOW_SIZE) link->initial_window = get32(payload + i + 2);
        return send_frame(link, SETTINGS, ACK, 0, "", 0);
    case PING:
        return flags & ACK ? 0 : send_frame(link, PING, ACK, 0, payload, size);
    case WINDOW_UPDATE:
        *(stream ? &link->stream_window : &link->window) += get32(payload);
        return 0;
    case GOAWAY:
        return link_fail(link, "the server said GOAWAY");
    case RST_STREAM:
        return link_fail(link, "the server reset the stream");
    case HEADERS:
    case DATA:
        break;
    default:
        return 0;
    }
    if (stream != link->stream) return link_fail(link, "a frame of another stream");
    if (!exchange->first_byte) exchange->first_byte = link->read_at;
    if (type == DATA) {
        /* What was read is given back before the server can run out of it. */
        link->unacknowledged += (uint32_t)size;
        if (link->unacknowledged > 1 << 28) {
            char update[4];
            put32(update, link->unacknowledged);
            if (send_frame(link, WINDOW_UPDATE, 0, 0, update, 4)) return -1;
            link->unacknowledged = 0;
        }
    }
    if (flags & PADDED) padding = (unsigned char)*payload++, size -= 1 + padding;
    if (type == HEADERS) {
        if (flags & WITH_PRIORITY) payload += 5, size -= 5;
        if (!exchange->status) exchange->status = status(payload, size);
    } else {
        exchange->take(exchange->self, payload, size, link->read_at);
    }
    return flags & END_STREAM;
}

int http2(struct link *link, struct exchange *exchange) {
    char text[1 << 15], *at = text + 9;
    if (exchange->size > 16384) return link_fail(link, "too large a request");
    link->stream += 2;
    at = fields(at, exchange);
    frame(text, (size_t)(at - text) - 9, HEADERS, END_HEADERS, link->stream);
    link->stream_window = link->initial_window;
    exchange->status = 0;
    exchange->first_byte = 0;
    while (link->window < (int64_t)exchange->size)
        if (receive(link, exchange)) return -1;
    link->window -= (int64_t)exchange->size;
    at = frame(at, exchange->size, DATA, END_STREAM, link->stream);
    memcpy(at, exchange->body, exchange->size);
    exchange->sent = now();
    if (link_write(link, text, (size_t)(at - text) + exchange->size)) return -1;
    int ended;
    do ended = receive(link, exchange);
    while (!ended);
    return ended < 0 ? -1 : 0;
}
