/* One exchange of HTTP/1.1. The answer has a Content-Length or comes in chunks; nothing else is expected of a server. */
#include "load.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

static const char *value(const char *line, const char *name) {
    size_t size = strlen(name);
    return strncasecmp(line, name, size) ? NULL : line + size + strspn(line + size, " ");
}

static int pass(struct link *link, struct exchange *exchange, size_t size) {
    while (size) {
        if (link->from == link->to && link_fill(link)) return -1;
        size_t here = link->to - link->from < size ? link->to - link->from : size;
        exchange->take(exchange->self, link->in + link->from, here, link->read_at);
        link->from += here;
        size -= here;
    }
    return 0;
}

static int chunks(struct link *link, struct exchange *exchange) {
    char *line;
    for (;;) {
        if (!(line = link_line(link))) return -1;
        size_t size = strtoul(line, NULL, 16);
        if (!size) break;
        if (pass(link, exchange, size) || !(line = link_line(link))) return -1;
        if (*line) return link_fail(link, "a chunk of another size than it says");
    }
    do line = link_line(link);
    while (line && *line);
    return line ? 0 : -1;
}

int http1(struct link *link, struct exchange *exchange) {
    char head[4096];
    int size = snprintf(head, sizeof head, "%sContent-Length: %zu\r\n\r\n", exchange->head, exchange->size);
    /* In one segment: a request that is split is not what is measured. */
    char whole[1 << 15];
    if (size + exchange->size > sizeof whole) return link_fail(link, "too large a request");
    memcpy(whole, head, (size_t)size);
    memcpy(whole + size, exchange->body, exchange->size);
    exchange->sent = now();
    if (link_write(link, whole, (size_t)size + exchange->size) || link_fill(link)) return -1;
    exchange->first_byte = link->read_at;

    char *line = link_line(link);
    if (!line) return -1;
    exchange->status = strncmp(line, "HTTP/1.1 ", 9) ? 0 : atoi(line + 9);
    long length = -1;
    int chunked = 0;
    while ((line = link_line(link)) && *line) {
        const char *found;
        if ((found = value(line, "content-length:"))) length = atol(found);
        if ((found = value(line, "transfer-encoding:"))) chunked = !strcasecmp(found, "chunked");
        if ((found = value(line, "connection:"))) link->last = !strcasecmp(found, "close");
    }
    if (!line) return -1;
    if (chunked) return chunks(link, exchange);
    return length < 0 ? link_fail(link, "an answer without a length") : pass(link, exchange, (size_t)length);
}
