/* A provider for tests/bench that streams chunks at a rate: origin CERTIFICATE KEY RATE. Prints its port on 127.0.0.1.
 *
 * It speaks HTTP/1.1 over TLS, keeps connections alive and answers every request with as many chunks as the request
 * says in its member "n", each in a segment of its own and with the nanosecond at which it was sent; the first leaves
 * with the head.
 */
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>

#include "server.h"

#define HEAD "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n"
#define CHUNK                                                                                                         \
    "data: {\"id\":\"chatcmpl-bench\",\"object\":\"chat.completion.chunk\",\"created\":1758920391,"                   \
    "\"model\":\"accounts/fireworks/models/llama-v3p1-8b-instruct\",\"choices\":[{\"index\":0,"                       \
    "\"delta\":{\"content\":\"t%018llu\"},\"finish_reason\":null}]}\n\n"
#define END "e\r\ndata: [DONE]\n\n\r\n0\r\n\r\n"

static long period; /* nanoseconds */

static int chunk(char *text, size_t room) {
    struct timespec t;
    char event[512];
    clock_gettime(CLOCK_MONOTONIC, &t);
    int size = snprintf(event, sizeof event, CHUNK, (unsigned long long)t.tv_sec * 1000000000u + (unsigned)t.tv_nsec);
    return snprintf(text, room, "%x\r\n%s\r\n", (unsigned)size, event);
}

static int answer(SSL *ssl, long count) {
    char text[1024];
    struct timespec due;
    clock_gettime(CLOCK_MONOTONIC, &due);
    int size = snprintf(text, sizeof text, HEAD);
    for (long i = 0; i < count; i++) {
        size += chunk(text + size, sizeof text - (size_t)size);
        if (SSL_write(ssl, text, size) <= 0) return -1;
        size = 0;
        due.tv_nsec += period;
        due.tv_sec += due.tv_nsec / 1000000000;
        due.tv_nsec %= 1000000000;
        if (i + 1 < count) clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &due, NULL);
    }
    return SSL_write(ssl, END, sizeof END - 1) > 0 ? 0 : -1;
}

static void serve(int fd) {
    char in[1 << 15], *end;
    SSL *ssl = server_tls(fd);
    while (ssl && (end = server_request(ssl, in, sizeof in))) {
        char *asked = strstr(end, "\"n\":");
        if (answer(ssl, asked ? atol(asked + 4) : 1)) break;
    }
    SSL_free(ssl);
}

int main(int count, char **values) {
    if (count != 4) return 2;
    period = (long)(1e9 / atof(values[3]));
    int listener = server_open(values[1], values[2], 0);
    struct sockaddr_in address;
    socklen_t size = sizeof address;
    if (listener < 0 || getsockname(listener, (struct sockaddr *)&address, &size)) return 2;
    printf("%d\n", ntohs(address.sin_port));
    fflush(stdout);
    server_run(listener, serve);
}
