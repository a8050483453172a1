// SPDX-License-Identifier: GPL-2.0
/*
 * pvbusd: requests from pvbusctl.
 *
 * A request is an object with "cmd"; a response one with "ok", and with "error"
 * when that is false. pvbusd(8) describes them.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "daemon.h"
#include "device.h"
#include "opening.h"
#include "paths.h"
#include "removal.h"

/*
 * Disks that may be on their way at once: those whose paths never answer leave
 * places for other requests.
 */
#define MAX_OPENING	(CONTROL_CLIENTS / 2)

#define COMMANDS	"show, stats, add-disk, add-net, resize or remove"

/* Compact, and in the order in which it was put together. */
static char *dump(json_t *json)
{
	char *text = json ? json_dumps(json, JSON_COMPACT) : NULL;

	json_decref(json);
	return text;
}

static json_t *failure(const char *error)
{
	return json_pack("{s:b, s:s}", "ok", 0, "error", error);
}

/* A string of fixed size; what is not UTF-8 is left out. */
static void set_text(json_t *json, const char *key, const void *text,
		     size_t size)
{
	size_t len = strnlen(text, size);

	if (len)
		json_object_set_new(json, key, json_stringn(text, len));
}

static void set_number(json_t *json, const char *key, uint64_t value)
{
	json_object_set_new(json, key, json_integer((json_int_t)value));
}

static json_t *vm_json(const struct daemon *d,
		       const struct pvbus_ioc_vm_info *info)
{
	json_t *vm = json_object();

	set_text(vm, "name", info->name, sizeof(info->name));
	json_object_set_new(vm, "state",
			    json_string(vm_state_name(info->state)));
	if (info->state == PVBUS_VM_REFUSED)
		set_number(vm, "refusal", info->refusal);
	json_object_set_new(vm, "loopback", json_boolean(d->args.loopback));
	set_number(vm, "pvbusd_pid", getpid());
	set_number(vm, "qemu_pid", info->qemu_pid);
	set_number(vm, "version", info->version);
	set_number(vm, "generation", info->generation);
	set_number(vm, "vectors", info->vectors);
	set_number(vm, "guest_vectors", info->guest_vectors);
	set_number(vm, "features", info->features);
	set_number(vm, "devices", info->devices);
	set_number(vm, "pinned", info->pinned);
	set_number(vm, "pin_limit", info->pin_limit);
	set_number(vm, "resets", info->resets);
	set_number(vm, "violations", info->violations);
	return vm;
}

static void set_disk(const struct daemon *d, json_t *json,
		     const struct pvbus_ioc_dev *dev)
{
	char id[PVBUS_ID_SIZE + 1] = "";
	json_t *path;

	memcpy(id, dev->id, sizeof(dev->id));
	path = json_object_get(d->paths, id);
	if (path)
		json_object_set(json, "path", path);
	set_number(json, "capacity", dev->capacity);
	json_object_set_new(json, "readonly",
			    json_boolean(dev->flags & PVBUS_DEV_READONLY));
	set_text(json, "serial", dev->serial, sizeof(dev->serial));
}

static void set_net(json_t *json, const struct pvbus_ioc_dev *dev)
{
	const uint8_t *mac = dev->mac;
	char text[18];

	snprintf(text, sizeof(text), "%02x:%02x:%02x:%02x:%02x:%02x",
		 mac[0], mac[1], mac[2], mac[3], mac[4], mac[5]);
	set_text(json, "ifname", dev->ifname, sizeof(dev->ifname));
	json_object_set_new(json, "mac", json_string(text));
	set_number(json, "mtu", dev->mtu);
}

/* Only what is the device's own: the rest is the module's, for all of them. */
static void set_tuning(json_t *json, const struct pvbus_ioc_dev *dev)
{
	if (dev->flags & PVBUS_DEV_POLL_US)
		set_number(json, "poll_us", dev->poll_us);
	if (dev->flags & PVBUS_DEV_COALESCE_US)
		set_number(json, "coalesce_us", dev->coalesce_us);
}

static json_t *device_json(const struct daemon *d,
			   const struct pvbus_ioc_dev *dev)
{
	bool disk = dev->type == PVBUS_TYPE_BLK;
	json_t *json = json_object();

	set_text(json, "id", dev->id, sizeof(dev->id));
	json_object_set_new(json, "type", json_string(disk ? "disk" : "net"));
	set_number(json, "offer", dev->offer);
	set_number(json, "queues", dev->max_queues);
	set_number(json, "open_queues", dev->open_queues);
	set_tuning(json, dev);
	if (disk)
		set_disk(d, json, dev);
	else
		set_net(json, dev);
	return json;
}

static json_t *channel_json(const struct pvbus_ioc_chan_stats *s)
{
	json_t *json = json_object();

	set_text(json, "id", s->id, sizeof(s->id));
	set_number(json, "queue", s->queue);
	set_number(json, "worker", s->worker);
	set_number(json, "requests", s->requests);
	set_number(json, "completions", s->completions);
	set_number(json, "bytes_in", s->bytes_in);
	set_number(json, "bytes_out", s->bytes_out);
	set_number(json, "errors", s->errors);
	set_number(json, "dropped", s->dropped);
	set_number(json, "doorbells", s->doorbells);
	set_number(json, "interrupts", s->interrupts);
	set_number(json, "wakeups", s->wakeups);
	set_number(json, "polls", s->polls);
	set_number(json, "poll_hits", s->poll_hits);
	set_number(json, "poll_ns", s->poll_ns);
	set_number(json, "pin_hits", s->pin_hits);
	set_number(json, "pin_misses", s->pin_misses);
	set_number(json, "pauses", s->pauses);
	return json;
}

/* The answer to "show" and "stats" begins with the VM. */
static json_t *begin(struct daemon *d)
{
	json_t *json = json_object();

	vm_event(d);
	json_object_set_new(json, "ok", json_true());
	json_object_set_new(json, "vm", vm_json(d, &d->info));
	return json;
}

static json_t *cmd_show(struct daemon *d)
{
	struct pvbus_ioc_dev dev = { .offer = 0 };
	json_t *list = json_array();
	json_t *json = begin(d);
	struct pv_err err;

	while (!device_next(d->dev, &dev, &err))
		json_array_append_new(list, device_json(d, &dev));
	json_object_set_new(json, "devices", list);
	return json;
}

static void append_channels(struct daemon *d, json_t *list,
			    const struct pvbus_ioc_dev *dev)
{
	struct pvbus_ioc_chan_stats stats;
	unsigned int queue;
	struct pv_err err;

	for (queue = 0; dev->open_queues && queue < dev->max_queues; queue++) {
		memset(&stats, 0, sizeof(stats));
		memcpy(stats.id, dev->id, sizeof(stats.id));
		stats.queue = queue;
		if (!device_chan_stats(d->dev, &stats, &err))
			json_array_append_new(list, channel_json(&stats));
	}
}

static json_t *cmd_stats(struct daemon *d)
{
	struct pvbus_ioc_dev dev = { .offer = 0 };
	json_t *list = json_array();
	json_t *json = begin(d);
	struct pv_err err;

	while (!device_next(d->dev, &dev, &err))
		append_channels(d, list, &dev);
	json_object_set_new(json, "channels", list);
	return json;
}

static json_t *device_answer(struct daemon *d, const struct pvbus_ioc_dev *dev)
{
	json_t *json = json_object();

	json_object_set_new(json, "ok", json_true());
	json_object_set_new(json, "device", device_json(d, dev));
	return json;
}

static char *opened(void *ctx, const struct disk_spec *disk, int fd,
		    const char *error)
{
	struct daemon *d = ctx;
	struct pvbus_ioc_dev dev;
	struct pv_err err;

	d->opening--;
	if (error)
		return dump(failure(error));
	if (devices_add_disk(d, disk, fd, &dev, &err))
		return dump(failure(err.text));
	return dump(device_answer(d, &dev));
}

static json_t *cmd_add_disk(struct daemon *d, const char *spec,
			    struct control_job **job)
{
	struct disk_spec disk;
	struct pv_err err;

	if (spec_parse_disk(spec, &disk, &err))
		return failure(err.text);
	if (*disk.path != '/')
		return failure("the path of the disk is relative: give an absolute path");
	if (d->opening >= MAX_OPENING)
		return failure("too many disks are being opened: look at why their paths do not answer, or try again");
	*job = opening_start(&disk, opened, d);
	if (!*job)
		return failure("pvbusd is short of memory");
	d->opening++;
	return NULL;
}

static json_t *cmd_add_net(struct daemon *d, const char *spec)
{
	struct pvbus_ioc_dev dev;
	struct net_spec net;
	struct pv_err err;

	if (spec_parse_net(spec, &net, &err) || devices_check_net(&net, &err) ||
	    devices_add_net(d, &net, &dev, &err))
		return failure(err.text);
	return device_answer(d, &dev);
}

static char *removed(void *ctx, const char *id, const char *error)
{
	struct daemon *d = ctx;

	if (error)
		return dump(failure(error));
	json_object_del(d->paths, id);
	return dump(json_pack("{s:b, s:s}", "ok", 1, "id", id));
}

static json_t *cmd_remove(struct daemon *d, const char *id, json_t *timeout,
			  struct control_job **job)
{
	json_int_t ms = PVBUS_REMOVE_MS;
	char name[PVBUS_ID_SIZE];
	struct pv_err err;

	if (spec_parse_name(id, "id", name, &err))
		return failure(err.text);
	if (timeout)
		ms = json_integer_value(timeout);
	if ((timeout && !json_is_integer(timeout)) || ms < 0 ||
	    ms > PVBUS_REMOVE_MAX_MS)
		return failure("timeout_ms is wrong: use a number from 0 to 60000");
	*job = removal_start(d->dev, name, ms, removed, d);
	return *job ? NULL : failure("pvbusd is short of memory");
}

static json_t *cmd_resize(struct daemon *d, const char *id)
{
	struct pvbus_ioc_dev dev = { .offer = 0 };
	char name[PVBUS_ID_SIZE];
	uint64_t capacity;
	struct pv_err err;

	if (spec_parse_name(id, "id", name, &err) ||
	    device_resize(d->dev, name, &capacity, &err))
		return failure(err.text);
	while (!device_next(d->dev, &dev, &err)) {
		if (strcmp((const char *)dev.id, name))
			continue;
		/* as the guest was told */
		dev.capacity = capacity;
		return device_answer(d, &dev);
	}
	return failure("the disk was removed meanwhile");
}

static json_t *text_missing(const char *cmd, const char *key)
{
	struct pv_err err;

	pv_err(&err, "request '%.100s' has no \"%s\": add it", cmd, key);
	return failure(err.text);
}

static json_t *run(struct daemon *d, json_t *request, struct control_job **job)
{
	const char *cmd = json_string_value(json_object_get(request, "cmd"));
	const char *spec = json_string_value(json_object_get(request, "spec"));
	const char *id = json_string_value(json_object_get(request, "id"));
	struct pv_err err;

	if (!cmd)
		return failure("the request has no \"cmd\": use " COMMANDS);
	if (!strcmp(cmd, "show"))
		return cmd_show(d);
	if (!strcmp(cmd, "stats"))
		return cmd_stats(d);
	if (!strcmp(cmd, "add-disk"))
		return spec ? cmd_add_disk(d, spec, job) :
		       text_missing(cmd, "spec");
	if (!strcmp(cmd, "add-net"))
		return spec ? cmd_add_net(d, spec) : text_missing(cmd, "spec");
	if (!strcmp(cmd, "resize"))
		return id ? cmd_resize(d, id) : text_missing(cmd, "id");
	if (!strcmp(cmd, "remove"))
		return id ? cmd_remove(d, id,
				       json_object_get(request, "timeout_ms"),
				       job) : text_missing(cmd, "id");
	pv_err(&err,
	       "request '%.100s' is not known: update pvbusd, or use " COMMANDS,
	       cmd);
	return failure(err.text);
}

/**
 * command_run - run a request
 * @ctx: the daemon
 * @line: the request
 * @job: set when it takes time
 *
 * Returns the response, to be freed, or NULL; see struct control.
 */
char *command_run(void *ctx, const char *line, struct control_job **job)
{
	json_t *request = json_loads(line, JSON_REJECT_DUPLICATES, NULL);
	json_t *response;

	if (!json_is_object(request))
		response = failure("the request is not an object in JSON");
	else
		response = run(ctx, request, job);
	json_decref(request);
	return response ? dump(response) : NULL;
}
