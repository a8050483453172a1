// SPDX-License-Identifier: GPL-2.0
/*
 * pvbusctl: talking to pvbusd. A request is a line of JSON, so is the response.
 */
#include "client.h"

#include <dirent.h>
#include <errno.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "paths.h"
#include "spec.h"

static int make_addr(const char *run_dir, const char *name,
		     struct sockaddr_un *addr, struct pv_err *err)
{
	int n;

	memset(addr, 0, sizeof(*addr));
	addr->sun_family = AF_UNIX;
	n = snprintf(addr->sun_path, sizeof(addr->sun_path),
		     "%s/%s" PVBUS_CTL_SUFFIX, run_dir, name);
	if (n >= (int)sizeof(addr->sun_path))
		return pv_err(err,
			      "directory '%.300s' has too long a name: use a shorter --run-dir",
			      run_dir);
	return 0;
}

static int connect_error(const char *name, struct pv_err *err)
{
	switch (errno) {
	case ENOENT:
	case ECONNREFUSED:
		pv_err(err,
		       "VM '%s' is not served by a pvbusd: 'pvbusctl list' shows those that are",
		       name);
		return CLIENT_STALE;
	case EACCES:
	case EPERM:
		return pv_err(err,
			      "no permission to talk to pvbusd of VM '%s': run pvbusctl as root",
			      name);
	}
	return pv_err(err, "cannot connect to pvbusd of VM '%s': %s", name,
		      strerror(errno));
}

/**
 * client_connect - connect to the daemon of a VM
 * @run_dir: directory of control sockets
 * @name: the VM
 * @err: why that failed
 *
 * Returns a socket, CLIENT_STALE when there is no daemon, or -1.
 */
int client_connect(const char *run_dir, const char *name, struct pv_err *err)
{
	struct sockaddr_un addr;
	int ret, fd;

	if (make_addr(run_dir, name, &addr, err))
		return -1;
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return pv_err(err, "cannot make a socket: %s", strerror(errno));
	if (!connect(fd, (struct sockaddr *)&addr, sizeof(addr)))
		return fd;
	ret = connect_error(name, err);
	close(fd);
	return ret;
}

static long long now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000LL + now.tv_nsec / 1000000;
}

static int wait_for(int fd, short events, long long deadline)
{
	struct pollfd pfd = { .fd = fd, .events = events };
	long long left = deadline - now_ms();
	int ret;

	do {
		ret = poll(&pfd, 1, left > 0 ? (int)left : 0);
		left = deadline - now_ms();
	} while (ret < 0 && errno == EINTR);
	if (!ret)
		errno = ETIMEDOUT;
	return ret > 0 ? 0 : -1;
}

static int send_line(int fd, const char *text, size_t len, long long deadline)
{
	while (len) {
		ssize_t n = send(fd, text, len, MSG_NOSIGNAL);

		if (n < 0 && errno != EAGAIN && errno != EINTR)
			return -1;
		if (n < 0 && wait_for(fd, POLLOUT, deadline))
			return -1;
		if (n > 0) {
			text += n;
			len -= n;
		}
	}
	return 0;
}

/* Receive up to a newline. Returns the line, to be freed, or NULL with errno. */
static char *receive_line(int fd, long long deadline)
{
	char *line = malloc(PVBUS_CTL_RESPONSE);
	size_t len = 0;
	int saved;

	while (line && len < PVBUS_CTL_RESPONSE) {
		ssize_t n = recv(fd, line + len, PVBUS_CTL_RESPONSE - len, 0);
		char *end;

		if (n > 0) {
			end = memchr(line + len, '\n', n);
			if (end) {
				*end = '\0';
				return line;
			}
			len += n;
			continue;
		}
		if (!n)
			errno = ECONNRESET;
		if (!n || (errno != EAGAIN && errno != EINTR) ||
		    wait_for(fd, POLLIN, deadline))
			break;
	}
	/* a line that is too long is not ours either */
	saved = len == PVBUS_CTL_RESPONSE ? EMSGSIZE : errno;
	free(line);
	errno = saved;
	return NULL;
}

static void io_error(const char *name, struct pv_err *err)
{
	if (errno == ETIMEDOUT)
		pv_err(err, "pvbusd of VM '%s' does not answer: try again, or look into its log",
		       name);
	else if (errno == ECONNRESET || errno == EPIPE)
		pv_err(err, "pvbusd of VM '%s' closed the connection: look into its log",
		       name);
	else
		pv_err(err, "cannot talk to pvbusd of VM '%s': %s", name,
		       strerror(errno));
}

static json_t *parse_response(const char *name, const char *line,
			      struct pv_err *err)
{
	json_t *json = json_loads(line, 0, NULL);
	const char *text;

	if (json_is_true(json_object_get(json, "ok")))
		return json;
	text = json_string_value(json_object_get(json, "error"));
	if (text)
		pv_err(err, "%s", text);
	else
		pv_err(err,
		       "the answer of pvbusd of VM '%s' is not understood: use pvbusctl and pvbusd of one version",
		       name);
	json_decref(json);
	return NULL;
}

/**
 * client_request - ask and wait for the answer
 * @fd: from client_connect()
 * @name: the VM, for messages
 * @request: taken over
 * @timeout_ms: how long to wait
 * @err: what the daemon says is wrong, or why it said nothing
 *
 * Returns the response, or NULL.
 */
json_t *client_request(int fd, const char *name, json_t *request,
		       int timeout_ms, struct pv_err *err)
{
	char *text = request ? json_dumps(request, JSON_COMPACT) : NULL;
	long long deadline = now_ms() + timeout_ms;
	json_t *response = NULL;
	char *line = NULL;
	size_t len;

	json_decref(request);
	if (!text) {
		pv_err(err, "a value is not UTF-8: use UTF-8");
		return NULL;
	}
	len = strlen(text);
	/* the place of the NUL */
	text[len] = '\n';
	if (!send_line(fd, text, len + 1, deadline))
		line = receive_line(fd, deadline);
	if (line)
		response = parse_response(name, line, err);
	else
		io_error(name, err);
	free(line);
	free(text);
	return response;
}

/* The name of a VM in the name of its socket, or NULL. */
static char *vm_name(const char *file)
{
	size_t len = strlen(file);
	size_t suffix = strlen(PVBUS_CTL_SUFFIX);

	if (len <= suffix || strcmp(file + len - suffix, PVBUS_CTL_SUFFIX) ||
	    len - suffix >= PVBUS_ID_SIZE)
		return NULL;
	return strndup(file, len - suffix);
}

static int compare(const void *a, const void *b)
{
	return strverscmp(*(char * const *)a, *(char * const *)b);
}

static int collect(DIR *dir, struct client_names *names)
{
	struct dirent *entry;

	while ((entry = readdir(dir))) {
		char *name = vm_name(entry->d_name);
		char **more;

		if (!name)
			continue;
		more = reallocarray(names->name, names->nr + 1, sizeof(*more));
		if (!more) {
			free(name);
			return -1;
		}
		names->name = more;
		names->name[names->nr++] = name;
	}
	return 0;
}

/**
 * client_list - list VMs that have, or had, a daemon
 * @run_dir: directory of control sockets
 * @names: result; free with client_list_free()
 * @err: why there is none
 *
 * Returns 0 or -1. A directory that is missing holds no VM.
 */
int client_list(const char *run_dir, struct client_names *names,
		struct pv_err *err)
{
	DIR *dir = opendir(run_dir);
	int ret;

	memset(names, 0, sizeof(*names));
	if (!dir && errno == ENOENT)
		return 0;
	if (!dir && errno == EACCES)
		return pv_err(err, "no permission to read '%.300s': run pvbusctl as root",
			      run_dir);
	if (!dir)
		return pv_err(err, "cannot read '%.300s': %s: give another --run-dir",
			      run_dir, strerror(errno));
	ret = collect(dir, names);
	closedir(dir);
	if (ret) {
		client_list_free(names);
		return pv_err(err, "out of memory");
	}
	if (names->nr)
		qsort(names->name, names->nr, sizeof(*names->name), compare);
	return 0;
}

/**
 * client_list_free - free a list
 * @names: list
 */
void client_list_free(struct client_names *names)
{
	size_t i;

	for (i = 0; i < names->nr; i++)
		free(names->name[i]);
	free(names->name);
	memset(names, 0, sizeof(*names));
}
