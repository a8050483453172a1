// SPDX-License-Identifier: GPL-2.0
/*
 * pvbusd: what the module reports about the VM.
 */
#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include <unistd.h>

#include <pvbus/user.h>

#include "cgroup.h"
#include "daemon.h"
#include "device.h"
#include "log.h"
#include "paths.h"
#include "privileges.h"
#include "proof.h"
#include "qemu_args.h"
#include "util.h"

/* Times that a guest may start over while its RAM is looked for. */
#define PROVE_TRIES	16

/* How often it is said that a guest was refused, at most. */
#define REFUSED_SECONDS	10

static const char * const state_names[] = {
	[PVBUS_VM_NEW] = "new",
	[PVBUS_VM_ATTACHED] = "attached",
	[PVBUS_VM_PROVING] = "proving",
	[PVBUS_VM_RUNNING] = "running",
	[PVBUS_VM_REFUSED] = "refused",
	[PVBUS_VM_DEAD] = "dead",
};

/**
 * vm_state_name - name a state for humans and JSON
 * @state: PVBUS_VM_*
 */
const char *vm_state_name(uint32_t state)
{
	if (state >= ARRAY_SIZE(state_names))
		return "unknown";
	return state_names[state];
}

static void refuse_ram(struct daemon *d, const struct pv_err *why)
{
	const struct pvbus_ioc_vm_set_mem none = { .nr_regions = 0 };
	struct pv_err err;

	/* the guest is told, then the VM ends */
	device_vm_set_mem(d->dev, &none, &err);
	log_err("%s", why->text);
	daemon_stop(d, PVBUS_EXIT_FAILED);
}

/* Nothing follows about the VM from not being told about it. */
static void leave(struct daemon *d, const struct pv_err *why)
{
	log_err("%s", why->text);
	daemon_leave(d);
}

/*
 * Find guest RAM. Returns -1 with words when it cannot be proven.
 */
static int prove(struct daemon *d, const struct pvbus_ioc_vm_info *info,
		 struct pv_err *err)
{
	struct pvbus_ioc_vm_set_mem table;
	struct qemu_hints hints;

	qemu_args_read(info->qemu_pid, d->args.socket, &hints);
	if (proof_find(info, &hints.ram, &table, err) ||
	    device_vm_set_mem(d->dev, &table, err))
		return -1;
	log_debug("guest RAM begins at %#" PRIx64 " in QEMU; regions: %u",
		  (uint64_t)table.region[0].hva, table.nr_regions);
	return 0;
}

/*
 * A guest that starts over while its RAM is looked for has taken its nonces
 * away: nothing follows from not finding them, and the next hello may be there
 * already.
 */
static int prove_current(struct daemon *d)
{
	struct pvbus_ioc_vm_info *info = &d->info;
	struct pv_err why, err;
	int tries;

	for (tries = 0; tries < PROVE_TRIES; tries++) {
		uint32_t generation = info->generation;
		uint64_t resets = info->resets;

		if (!prove(d, info, &why))
			return 0;
		if (device_vm_info(d->dev, info, &err)) {
			leave(d, &err);
			return -1;
		}
		if (info->state != PVBUS_VM_PROVING)
			return 0;
		if (info->generation == generation && info->resets == resets)
			break;
	}
	refuse_ram(d, &why);
	return -1;
}

/* Protocol versions of the host, which the module wrote into the window. */
static void host_versions(const struct daemon *d, unsigned int *min,
			  unsigned int *max)
{
	const struct pvbus_win_host *win = d->window;

	*min = PVBUS_VERSION_MIN;
	*max = PVBUS_VERSION_MAX;
	if (!win || le64_to_cpu(win->magic) != PVBUS_MAGIC)
		return;
	*min = le16_to_cpu(win->version_min);
	*max = le16_to_cpu(win->version_max);
}

static void refused_version(struct daemon *d,
			    const struct pvbus_ioc_vm_info *info)
{
	unsigned int min, max;

	host_versions(d, &min, &max);
	log_err("the guest asks for protocol version %u, this host speaks %u to %u: update pvbus %s",
		info->version, min, max,
		info->version > max ? "on the host" : "in the guest");
	daemon_stop(d, PVBUS_EXIT_FAILED);
}

static void refused_vectors(struct daemon *d,
			    const struct pvbus_ioc_vm_info *info)
{
	if (d->args.vectors)
		qemu_few_vectors(d, info->qemu_pid, info->guest_vectors);
	else
		log_err("QEMU (pid %d) gives the device %u vectors, fewer than the pvbusd before asked for: start QEMU again",
			info->qemu_pid, info->guest_vectors);
	daemon_stop(d, PVBUS_EXIT_FAILED);
}

/* A guest that can still be helped; it may be refused as often as it likes. */
static void refused_other(struct daemon *d,
			  const struct pvbus_ioc_vm_info *info)
{
	const char *why = "its driver does not keep to the protocol: update pvbus in the guest";

	if (!log_allowed(&d->refused_at, REFUSED_SECONDS))
		return;
	if (info->refusal == PVBUS_ST_RAM)
		why = "its RAM is not where it was proven to be before: start QEMU again";
	else if (info->refusal == PVBUS_ST_FEATURES)
		why = "it wants features that this host does not have: update pvbus on the host";
	log_warning("the guest of QEMU (pid %d) was refused (status %u), %s",
		    info->qemu_pid, info->refusal, why);
}

static void refused(struct daemon *d, const struct pvbus_ioc_vm_info *info)
{
	switch (info->refusal) {
	case PVBUS_ST_VERSION:
		refused_version(d, info);
		break;
	case PVBUS_ST_VECTORS:
		refused_vectors(d, info);
		break;
	default:
		refused_other(d, info);
	}
}

static void move_workers_of(struct daemon *d, const struct pvbus_ioc_dev *dev,
			    int cgroup, const char *path)
{
	struct pvbus_ioc_chan_stats stats;
	unsigned int queue;
	struct pv_err err;
	int ret;

	for (queue = 0; dev->open_queues && queue < dev->max_queues; queue++) {
		memset(&stats, 0, sizeof(stats));
		memcpy(stats.id, dev->id, sizeof(stats.id));
		stats.queue = queue;
		if (device_chan_stats(d->dev, &stats, &err) ||
		    !stats.worker || cgroup_has(path, stats.worker))
			continue;
		ret = cgroup_move(cgroup, stats.worker);
		if (ret)
			log_debug("worker %d cannot join QEMU's cgroup: %s",
				  stats.worker, strerror(-ret));
	}
}

/* Charge the time of all workers to QEMU's cgroup, if it has one. */
static void move_workers(struct daemon *d,
			 const struct pvbus_ioc_vm_info *info)
{
	struct pvbus_ioc_dev dev = { .offer = 0 };
	char path[CGROUP_PATH];
	struct pv_err err;
	int cgroup;

	if (info->state != PVBUS_VM_RUNNING || info->qemu_pid <= 0)
		return;
	if (d->cgroup < 0)
		d->cgroup = cgroup_follow(info->qemu_pid);
	cgroup = cgroup_open(d->cgroup, path, sizeof(path));
	if (cgroup < 0) {
		log_debug("QEMU (pid %d) is in no cgroup that workers can join",
			  info->qemu_pid);
		return;
	}
	while (!device_next(d->dev, &dev, &err))
		move_workers_of(d, &dev, cgroup, path);
	close(cgroup);
}

/*
 * A guest that runs has its RAM proven, which lasts as long as its QEMU: what
 * takes privileges is done.
 */
static void settle(struct daemon *d, const struct pvbus_ioc_vm_info *info)
{
	struct pv_err err;

	if (d->settled || info->state != PVBUS_VM_RUNNING)
		return;
	d->settled = true;
	if (privileges_keep(PRIVILEGES_SERVE, &err))
		log_warning("%s", err.text);
}

/**
 * vm_event - look at the VM's state, act, and keep it in @d->info
 * @d: the daemon
 *
 * Asking the module for the state ends what poll() reports, so nobody else may
 * ask: an event would be lost.
 */
void vm_event(struct daemon *d)
{
	struct pvbus_ioc_vm_info *info = &d->info;
	uint32_t before = info->state;
	struct pv_err err;

	if (device_vm_info(d->dev, info, &err)) {
		leave(d, &err);
		return;
	}
	if (info->state == PVBUS_VM_PROVING && prove_current(d))
		return;
	if (info->state != before)
		log_debug("the VM is %s", vm_state_name(info->state));
	if (info->state == PVBUS_VM_REFUSED)
		refused(d, info);
	else if (info->state == PVBUS_VM_DEAD)
		daemon_stop(d, PVBUS_EXIT_OK);
	move_workers(d, info);
	settle(d, info);
}
