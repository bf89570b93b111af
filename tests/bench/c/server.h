/* What the servers of tests/bench have in common: HTTP/1.1 over TLS on 127.0.0.1, a thread for each connection. */
#pragma once
#include <openssl/ssl.h>
#include <stddef.h>

/* Take certificate and key, PEM files, and listen on a port, 0 for any that is free: the listener, or -1. */
int server_open(const char *certificate, const char *key, int port);

/* Accept for ever. serve has the connection's descriptor, which is closed after it. */
void server_run(int listener, void (*serve)(int fd));

/* TLS on a connection, or NULL; SSL_free is for the caller. */
SSL *server_tls(int fd);

/* Read one request that has a content-length, with its body, as text: its end of head, or NULL at the connection's end. */
char *server_request(SSL *ssl, char *in, size_t room);
