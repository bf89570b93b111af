/* As little as can be between a client and its answer: floor PORT CERTIFICATE KEY ANSWER, on 127.0.0.1.
 *
 * Takes a CONNECT, whatever it is for, opens the TLS inside it and answers every request with the bytes of the file
 * ANSWER, head and all. What a client needs with it, it needs with any proxy.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "server.h"

#define ESTABLISHED "HTTP/1.1 200 Connection established\r\n\r\n"

static char answer[1 << 20];
static int answer_size;

/* Read the CONNECT, to the empty line at its end. */
static int tunnel(int fd) {
    char in[1 << 14];
    size_t have = 0;
    while (have < 4 || memcmp(in + have - 4, "\r\n\r\n", 4)) {
        ssize_t got = read(fd, in + have, sizeof in - have);
        if (got <= 0) return -1;
        have += (size_t)got;
    }
    return write(fd, ESTABLISHED, sizeof ESTABLISHED - 1) > 0 ? 0 : -1;
}

static void serve(int fd) {
    char in[1 << 15];
    SSL *ssl = tunnel(fd) ? NULL : server_tls(fd);
    while (ssl && server_request(ssl, in, sizeof in) && SSL_write(ssl, answer, answer_size) > 0)
        ;
    SSL_free(ssl);
}

int main(int count, char **values) {
    if (count != 5) return 2;
    FILE *file = fopen(values[4], "rb");
    if (!file || (answer_size = (int)fread(answer, 1, sizeof answer, file)) <= 0) return 2;
    int listener = server_open(values[2], values[3], atoi(values[1]));
    if (listener < 0) return 2;
    server_run(listener, serve);
}
