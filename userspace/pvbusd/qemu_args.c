// SPDX-License-Identifier: GPL-2.0
/*
 * pvbusd: what QEMU's command line tells.
 *
 * The ivshmem protocol does not say how many vectors the device has, and QEMU
 * complains about each eventfd above its number; nor does anything but the
 * command line say how much RAM there is to look for. An option is either
 * QEMU's list of key=value, or JSON as libvirt writes it. What cannot be
 * understood is no hint.
 */
#include "qemu_args.h"

#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "util.h"

/* What pvbusd reads of a command line. */
#define MAX_CMDLINE	(1U << 20)
#define VALUE_SIZE	4096

/**
 * struct option - the argument of an option
 * @text: QEMU's list of key=value; NULL if the argument is JSON
 * @json: the argument as JSON, or NULL
 */
struct option {
	const char	*text;
	json_t		*json;
};

static struct option option_open(const char *arg)
{
	struct option opt = { .text = arg };

	if (*arg == '{') {
		opt.text = NULL;
		opt.json = json_loads(arg, 0, NULL);
	}
	return opt;
}

static void option_close(struct option *opt)
{
	json_decref(opt->json);
}

/* Copy up to a single comma, ",," is one; returns what follows. */
static const char *next_item(const char *text, char *item, size_t size)
{
	size_t n = 0;

	for (; *text; text++) {
		if (*text == ',') {
			if (text[1] != ',') {
				text++;
				break;
			}
			text++;
		}
		if (n < size - 1)
			item[n++] = *text;
	}
	item[n] = '\0';
	return text;
}

/*
 * The value of @key in a list; the first item may lack its key, which is then
 * @implied. The last one counts, as for QEMU.
 */
static bool text_value(const char *text, const char *key, const char *implied,
		       char *value)
{
	char item[VALUE_SIZE];
	bool first = true;
	bool found = false;

	while (*text) {
		char *eq;

		text = next_item(text, item, sizeof(item));
		eq = strchr(item, '=');
		if (eq) {
			*eq = '\0';
			if (!strcmp(item, key)) {
				memcpy(value, eq + 1, strlen(eq + 1) + 1);
				found = true;
			}
		} else if (first && implied && !strcmp(implied, key)) {
			memcpy(value, item, strlen(item) + 1);
			found = true;
		}
		first = false;
	}
	return found;
}

static bool json_value(const json_t *json, const char *key, char *value)
{
	const json_t *v = json_object_get(json, key);

	if (json_is_integer(v))
		snprintf(value, VALUE_SIZE, "%lld",
			 (long long)json_integer_value(v));
	else if (json_is_string(v))
		snprintf(value, VALUE_SIZE, "%s", json_string_value(v));
	else
		return false;
	return true;
}

static bool option_value(const struct option *opt, const char *key,
			 const char *implied, char *value)
{
	if (opt->text)
		return text_value(opt->text, key, implied, value);
	return json_value(opt->json, key, value);
}

static unsigned int parse_count(const char *text, unsigned int max)
{
	unsigned long value;
	char *end;

	errno = 0;
	value = strtoul(text, &end, 0);
	if (errno || end == text || *text == '-' || *end || value > max)
		return 0;
	return value;
}

/* A size as QEMU writes it: 1G, 1.5G, 0x1000; without a unit in @unit bytes. */
static uint64_t parse_size(const char *text, uint64_t unit)
{
	const char *units = "BKMGT";
	double value;
	const char *p;
	char *end;

	value = strtod(text, &end);
	if (end == text || !isfinite(value) || value <= 0)
		return 0;
	if (*end) {
		p = strchr(units, *end >= 'a' ? *end - 'a' + 'A' : *end);
		if (!p || end[1])
			return 0;
		unit = 1ULL << 10 * (p - units);
	}
	value *= (double)unit;
	return value < (double)(1ULL << 62) ? (uint64_t)value : 0;
}

/**
 * struct args - a command line
 * @text: arguments, each with a NUL behind it
 * @end: behind the last
 */
struct args {
	const char	*text;
	const char	*end;
};

static const char *next_arg(const char *arg)
{
	return arg + strlen(arg) + 1;
}

/*
 * The argument of the next -@name (or --@name) at or behind @from, or NULL.
 */
static const char *find_option(const struct args *args, const char *from,
			       const char *name)
{
	const char *arg, *value;

	for (arg = from; arg < args->end; arg = value) {
		const char *opt = arg;

		value = next_arg(arg);
		if (*opt != '-')
			continue;
		opt += opt[1] == '-' ? 2 : 1;
		if (!strcmp(opt, name) && value < args->end)
			return value;
	}
	return NULL;
}

/* Is @path, as given to QEMU, @sock_path, which is absolute? */
static bool same_path(const char *path, const char *sock_path)
{
	size_t len, sock_len = strlen(sock_path);

	if (*path == '/')
		return !strcmp(path, sock_path);
	/* relative to a directory that we do not know */
	while (!strncmp(path, "./", 2))
		path += 2;
	len = strlen(path);
	return len && len < sock_len &&
	       sock_path[sock_len - len - 1] == '/' &&
	       !strcmp(sock_path + sock_len - len, path);
}

static bool chardev_is(const struct args *args, const char *id,
		       const char *sock_path)
{
	const char *arg = args->text;
	char value[VALUE_SIZE];

	while ((arg = find_option(args, arg, "chardev"))) {
		struct option opt = option_open(arg);
		bool match = option_value(&opt, "id", NULL, value) &&
			     !strcmp(value, id) &&
			     option_value(&opt, "path", NULL, value) &&
			     same_path(value, sock_path);

		option_close(&opt);
		if (match)
			return true;
		arg = next_arg(arg);
	}
	return false;
}

/*
 * Is @arg, of -device, one of ours? Returns its vectors or 0. @preferred tells
 * whether it is the one that is connected to @sock_path.
 */
static unsigned int device_vectors(const struct args *args, const char *arg,
				   const char *sock_path, bool *preferred)
{
	struct option opt = option_open(arg);
	unsigned int vectors = 0;
	char value[VALUE_SIZE];

	*preferred = false;
	if (!option_value(&opt, "driver", "driver", value) ||
	    strcmp(value, "ivshmem-doorbell"))
		goto out;
	vectors = 1;
	if (option_value(&opt, "vectors", "driver", value))
		vectors = parse_count(value, UINT16_MAX);
	if (!vectors)
		vectors = 1;
	if (option_value(&opt, "chardev", "driver", value))
		*preferred = chardev_is(args, value, sock_path);
out:
	option_close(&opt);
	return vectors;
}

static void parse_devices(const struct args *args, const char *sock_path,
			  struct qemu_hints *hints)
{
	const char *arg = args->text;
	bool preferred;

	while ((arg = find_option(args, arg, "device"))) {
		unsigned int vectors = device_vectors(args, arg, sock_path,
						      &preferred);

		if (vectors && (preferred || !hints->found)) {
			hints->found = true;
			hints->vectors = vectors;
		}
		if (preferred)
			return;
		arg = next_arg(arg);
	}
}

/* The size of a memory backend, or 0; @id: only of that, or NULL. */
static uint64_t backend_size(const char *arg, const char *id)
{
	static const char prefix[] = "memory-backend-";
	struct option opt = option_open(arg);
	char value[VALUE_SIZE];
	uint64_t size = 0;

	if (option_value(&opt, "qom-type", "qom-type", value) &&
	    !strncmp(value, prefix, strlen(prefix)) &&
	    (!id || (option_value(&opt, "id", "qom-type", value) &&
		     !strcmp(value, id))) &&
	    option_value(&opt, "size", "qom-type", value))
		size = parse_size(value, 1);
	option_close(&opt);
	return size;
}

/* The size of the only memory backend, be it of that @id or any; or 0. */
static uint64_t parse_backends(const struct args *args, const char *id)
{
	const char *arg = args->text;
	uint64_t found = 0;

	while ((arg = find_option(args, arg, "object"))) {
		uint64_t size = backend_size(arg, id);

		if (size && found)
			return 0;
		if (size)
			found = size;
		arg = next_arg(arg);
	}
	return found;
}

static uint64_t parse_memory(const struct args *args)
{
	const char *arg = args->text;
	char value[VALUE_SIZE];
	uint64_t size = 0;

	/* the last one counts */
	while ((arg = find_option(args, arg, "m"))) {
		if (text_value(arg, "size", "size", value))
			size = parse_size(value, 1ULL << 20);
		arg = next_arg(arg);
	}
	return size ? size : parse_backends(args, NULL);
}

/**
 * struct node - a NUMA node
 * @id: its number
 * @memdev: its memory backend; none: ""
 */
struct node {
	unsigned int	id;
	char		memdev[VALUE_SIZE];
};

/* @next: the number of one that is not told; returns whether it is a node. */
static bool parse_node(const char *arg, unsigned int next, struct node *node)
{
	struct option opt = option_open(arg);
	char value[VALUE_SIZE];
	bool found = option_value(&opt, "type", "type", value) &&
		     !strcmp(value, "node");

	node->id = next;
	if (option_value(&opt, "nodeid", "type", value))
		node->id = parse_count(value, UINT16_MAX);
	if (!option_value(&opt, "memdev", "type", node->memdev))
		*node->memdev = '\0';
	option_close(&opt);
	return found;
}

/* Nodes that have memory of their own: a block each, by their numbers. */
static void parse_nodes(const struct args *args, struct qemu_ram *ram)
{
	unsigned int id[QEMU_MAX_BLOCKS], nodes = 0, i;
	const char *arg = args->text;
	struct node node;

	while ((arg = find_option(args, arg, "numa"))) {
		uint64_t size;

		if (parse_node(arg, nodes, &node))
			nodes++;
		arg = next_arg(arg);
		if (!*node.memdev)
			continue;
		if (ram->nr >= QEMU_MAX_BLOCKS) {
			ram->nr = QEMU_MAX_BLOCKS + 1;
			return;
		}
		size = parse_backends(args, node.memdev);
		for (i = ram->nr++; i && id[i - 1] > node.id; i--) {
			id[i] = id[i - 1];
			ram->size[i] = ram->size[i - 1];
		}
		id[i] = node.id;
		ram->size[i] = size;
	}
	for (i = 0; i < ram->nr; i++)
		if (!ram->size[i])
			ram->nr = 0;
}

static void parse_ram(const struct args *args, struct qemu_ram *ram)
{
	parse_nodes(args, ram);
	if (ram->nr)
		return;
	ram->size[0] = parse_memory(args);
	ram->nr = ram->size[0] ? 1 : 0;
}

static unsigned int smp_product(const char *arg)
{
	static const char * const keys[] = {
		"sockets", "dies", "clusters", "cores", "threads",
	};
	unsigned int product = 1;
	char value[VALUE_SIZE];
	size_t i;

	for (i = 0; i < ARRAY_SIZE(keys); i++) {
		unsigned int n;

		if (!text_value(arg, keys[i], NULL, value))
			continue;
		n = parse_count(value, 4096);
		if (n && product <= 4096)
			product *= n;
	}
	return product;
}

static unsigned int parse_cpus(const struct args *args)
{
	const char *arg = find_option(args, args->text, "smp");
	unsigned int cpus = 0;
	char value[VALUE_SIZE];

	if (!arg)
		return 1;
	if (text_value(arg, "cpus", "cpus", value))
		cpus = parse_count(value, 4096);
	return cpus ? cpus : smp_product(arg);
}

/**
 * qemu_args_parse - collect hints from a command line
 * @cmdline: arguments as in /proc/PID/cmdline, each with a NUL behind it
 * @len: bytes of it; the last is a NUL, or nothing is found
 * @sock_path: our socket, absolute: among several ivshmem devices, the one
 *	whose chardev has it is preferred; the first otherwise
 * @hints: result
 */
void qemu_args_parse(const char *cmdline, size_t len, const char *sock_path,
		     struct qemu_hints *hints)
{
	struct args args = { .text = cmdline, .end = cmdline + len };

	*hints = (struct qemu_hints){ .vectors = 1, .cpus = 1 };
	if (!len || cmdline[len - 1])
		return;
	parse_devices(&args, sock_path, hints);
	parse_ram(&args, &hints->ram);
	hints->cpus = parse_cpus(&args);
}

/**
 * qemu_args_read - collect hints from a process
 * @pid: QEMU
 * @sock_path: as for qemu_args_parse()
 * @hints: result; no hint when the command line cannot be read
 *
 * Returns 0, or -1 with errno when it cannot be read.
 */
int qemu_args_read(int pid, const char *sock_path, struct qemu_hints *hints)
{
	char path[32], *text;
	ssize_t n = -1;
	size_t len = 0;
	int fd;

	*hints = (struct qemu_hints){ .vectors = 1, .cpus = 1 };
	snprintf(path, sizeof(path), "/proc/%d/cmdline", pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return -1;
	text = malloc(MAX_CMDLINE);
	while (text && len < MAX_CMDLINE &&
	       (n = read(fd, text + len, MAX_CMDLINE - len)) > 0)
		len += n;
	if (text && n == 0)
		qemu_args_parse(text, len, sock_path, hints);
	free(text);
	close(fd);
	return n ? -1 : 0;
}
