// SPDX-License-Identifier: GPL-2.0
/*
 * pvbusctl: what daemons answer, as tables.
 */
#include "show.h"

#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "table.h"
#include "util.h"

static uint64_t number(const json_t *json, const char *key)
{
	return (uint64_t)json_integer_value(json_object_get(json, key));
}

static const char *text(const json_t *json, const char *key)
{
	const char *value = json_string_value(json_object_get(json, key));

	return value ? value : "";
}

static bool truth(const json_t *json, const char *key)
{
	return json_is_true(json_object_get(json, key));
}

static void add_size(struct table *t, uint64_t bytes)
{
	char size[32];

	table_size(size, sizeof(size), bytes);
	table_add(t, "%s", size);
}

/* Who the guest belongs to. */
static void add_qemu(struct table *t, const json_t *vm)
{
	if (truth(vm, "loopback"))
		table_add(t, "loopback");
	else if (number(vm, "qemu_pid"))
		table_add(t, "%" PRIu64, number(vm, "qemu_pid"));
	else
		table_add(t, "%s", "");
}

/**
 * show_list - print VMs
 * @vms: array of "vm" objects
 */
void show_list(const json_t *vms)
{
	static const char * const header[] = {
		"NAME", "STATE", "QEMU", "DEVICES", "VECTORS", "PINNED",
	};
	struct table t;
	const json_t *vm;
	size_t i;

	table_init(&t, ARRAY_SIZE(header), 0x38, header);
	json_array_foreach(vms, i, vm) {
		table_add(&t, "%s", text(vm, "name"));
		table_add(&t, "%s", text(vm, "state"));
		add_qemu(&t, vm);
		table_add(&t, "%" PRIu64, number(vm, "devices"));
		table_add(&t, "%" PRIu64, number(vm, "vectors"));
		add_size(&t, number(vm, "pinned"));
	}
	table_print(&t);
	table_free(&t);
}

/* " NAME=NUMBER" if the device has it of its own, otherwise nothing. */
static void format_own(char *buf, size_t len, const json_t *dev,
		       const char *key, const char *name)
{
	*buf = '\0';
	if (json_object_get(dev, key))
		snprintf(buf, len, " %s=%" PRIu64, name, number(dev, key));
}

static void add_details(struct table *t, const json_t *dev)
{
	char size[32], poll[40], coalesce[40];

	format_own(poll, sizeof(poll), dev, "poll_us", "poll-us");
	format_own(coalesce, sizeof(coalesce), dev, "coalesce_us",
		   "coalesce-us");
	if (!strcmp(text(dev, "type"), "net")) {
		table_add(t, "ifname=%s mac=%s mtu=%" PRIu64 "%s%s",
			  text(dev, "ifname"), text(dev, "mac"),
			  number(dev, "mtu"), poll, coalesce);
		return;
	}
	table_size(size, sizeof(size), number(dev, "capacity"));
	table_add(t, "size=%s%s%s%s%s%s%s%s", size,
		  truth(dev, "readonly") ? " readonly" : "", poll, coalesce,
		  *text(dev, "serial") ? " serial=" : "", text(dev, "serial"),
		  *text(dev, "path") ? " path=" : "", text(dev, "path"));
}

static void add_device(struct table *t, const json_t *dev)
{
	table_add(t, "%s", text(dev, "id"));
	table_add(t, "%s", text(dev, "type"));
	table_add(t, "%" PRIu64 "/%" PRIu64, number(dev, "open_queues"),
		  number(dev, "queues"));
	add_details(t, dev);
}

static void begin_devices(struct table *t)
{
	static const char * const header[] = {
		"ID", "TYPE", "OPEN", "DETAILS",
	};

	table_init(t, ARRAY_SIZE(header), 0, header);
}

static void show_memory(const json_t *vm)
{
	char pinned[32], limit[32];

	table_size(pinned, sizeof(pinned), number(vm, "pinned"));
	table_size(limit, sizeof(limit), number(vm, "pin_limit"));
	printf("pinned:     %s of at most %s\n", pinned, limit);
}

/**
 * show_vm - print a VM and its devices
 * @response: answer to "show"
 */
void show_vm(const json_t *response)
{
	const json_t *vm = json_object_get(response, "vm");
	const json_t *dev;
	struct table t;
	size_t i;

	printf("name:       %s\n", text(vm, "name"));
	printf("state:      %s\n", text(vm, "state"));
	if (truth(vm, "loopback"))
		printf("qemu:       none, loopback\n");
	else
		printf("qemu:       %" PRIu64 "\n", number(vm, "qemu_pid"));
	printf("pvbusd:     %" PRIu64 "\n", number(vm, "pvbusd_pid"));
	printf("protocol:   %" PRIu64 "\n", number(vm, "version"));
	printf("vectors:    %" PRIu64 " (guest has %" PRIu64 ")\n",
	       number(vm, "vectors"), number(vm, "guest_vectors"));
	show_memory(vm);
	printf("resets:     %" PRIu64 "\n", number(vm, "resets"));
	printf("violations: %" PRIu64 "\n\n", number(vm, "violations"));

	begin_devices(&t);
	json_array_foreach(json_object_get(response, "devices"), i, dev)
		add_device(&t, dev);
	table_print(&t);
	table_free(&t);
}

/**
 * show_device - print a device that was added or changed
 * @response: answer to "add-disk", "add-net" or "resize"
 */
void show_device(const json_t *response)
{
	struct table t;

	begin_devices(&t);
	add_device(&t, json_object_get(response, "device"));
	table_print(&t);
	table_free(&t);
}

/**
 * struct counter - a column of counters
 * @title: header
 * @key: in the answer
 * @bytes: shown as a size
 */
struct counter {
	const char	*title;
	const char	*key;
	bool		bytes;
};

static const struct counter counters[] = {
	{ "REQUESTS",	"requests",	false },
	{ "COMPLETED",	"completions",	false },
	{ "IN",		"bytes_in",	true },
	{ "OUT",	"bytes_out",	true },
	{ "ERRORS",	"errors",	false },
	{ "DROPPED",	"dropped",	false },
	{ "DOORBELLS",	"doorbells",	false },
	{ "INTERRUPTS",	"interrupts",	false },
	{ "WAKEUPS",	"wakeups",	false },
	{ "PAUSES",	"pauses",	false },
	{ "POLLS",	"polls",	false },
	{ "POLLHITS",	"poll_hits",	false },
	{ "PINHITS",	"pin_hits",	false },
	{ "PINMISSES",	"pin_misses",	false },
};

#define NR_COUNTERS	ARRAY_SIZE(counters)
#define NAME_COLUMNS	3

static void begin_stats(struct table *t)
{
	const char *header[NAME_COLUMNS + NR_COUNTERS] = {
		"ID", "QUEUE", "WORKER",
	};
	size_t i;

	for (i = 0; i < NR_COUNTERS; i++)
		header[NAME_COLUMNS + i] = counters[i].title;
	table_init(t, ARRAY_SIZE(header), ~1U, header);
}

/* The same channel, not opened anew, in an earlier answer. */
static const json_t *find_channel(const json_t *before, const json_t *channel)
{
	const json_t *other;
	size_t i;

	json_array_foreach(json_object_get(before, "channels"), i, other)
		if (!strcmp(text(other, "id"), text(channel, "id")) &&
		    number(other, "queue") == number(channel, "queue") &&
		    number(other, "worker") == number(channel, "worker"))
			return other;
	return NULL;
}

static void add_channel(struct table *t, const json_t *channel,
			const json_t *before, double seconds)
{
	size_t i;

	table_add(t, "%s", text(channel, "id"));
	table_add(t, "%" PRIu64, number(channel, "queue"));
	table_add(t, "%" PRIu64, number(channel, "worker"));
	for (i = 0; i < NR_COUNTERS; i++) {
		uint64_t value = number(channel, counters[i].key);

		value -= number(before, counters[i].key);
		if (seconds > 0)
			value = (uint64_t)((double)value / seconds);
		if (counters[i].bytes)
			add_size(t, value);
		else
			table_add(t, "%" PRIu64, value);
	}
}

/**
 * show_stats - print counters of channels
 * @response: answer to "stats"
 * @before: an earlier one, to print what happened since, or NULL
 * @seconds: time between them, to print it per second, or 0
 */
void show_stats(const json_t *response, const json_t *before, double seconds)
{
	const json_t *channel;
	struct table t;
	size_t i;

	begin_stats(&t);
	json_array_foreach(json_object_get(response, "channels"), i, channel)
		add_channel(&t, channel, find_channel(before, channel),
			    seconds);
	table_print(&t);
	table_free(&t);
}
