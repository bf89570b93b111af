/* The parts of the load generator: link.c (TCP, CONNECT, TLS), http1.c and http2.c (one exchange), load.c (the rest). */
#pragma once

#include <openssl/ssl.h>
#include <stddef.h>
#include <stdint.h>

/* Where to connect, and as whom. */
struct target {
    const char *address, *port; /* the TCP connection: a proxy, or the origin itself */
    const char *origin;         /* host:port as the client names it */
    const char *name;           /* the origin's host alone: SNI, and what the certificate must be for */
    int tunnel, http2;
    SSL_CTX *tls; /* NULL: plain */
};

/* One connection and what was read of it but not used yet. */
struct link {
    int fd;
    SSL *ssl;
    const char *error;
    char in[1 << 16];
    size_t from, to;
    uint64_t read_at; /* when the last bytes came */
    int last;         /* the server closes after this answer */
    /* HTTP/2 */
    uint32_t stream, max_frame;
    int64_t window, stream_window, initial_window;
    uint32_t unacknowledged;
};

/* The request, and what takes the answer. */
struct exchange {
    const char *head, *path, *authority; /* HTTP/1.1's head without content-length; for HTTP/2 the two others */
    char *const *headers;                /* further headers, "name: value", NULL at the end */
    const char *body;
    size_t size;
    int status;
    uint64_t sent, first_byte;
    void (*take)(void *self, const char *data, size_t size, uint64_t at);
    void *self;
};

uint64_t now(void); /* nanoseconds, CLOCK_MONOTONIC */

SSL_CTX *client_tls(const char *ca, int http2);
int link_open(struct link *link, const struct target *target);
void link_close(struct link *link);
int link_fill(struct link *link); /* read once more, at least one byte */
int link_write(struct link *link, const char *data, size_t size);
int link_fail(struct link *link, const char *error); /* -1 */
char *link_line(struct link *link);                  /* without CR LF; NULL: failed */

int http1(struct link *link, struct exchange *exchange);
int http2_start(struct link *link);
int http2(struct link *link, struct exchange *exchange);
