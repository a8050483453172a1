// SPDX-License-Identifier: GPL-2.0
/*
 * pvbusd: its command line.
 */
#include "args.h"
#include "cmdline.h"

#include <argp.h>
#include <grp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "log.h"
#include "paths.h"
#include "sock.h"

enum {
	OPT_DISK = 256,
	OPT_FOREGROUND,
	OPT_LOOPBACK,
	OPT_NAME,
	OPT_NET,
	OPT_PIN_LIMIT,
	OPT_RUN_DIR,
	OPT_SOCKET,
	OPT_SOCKET_GROUP,
	OPT_VECTORS,
};

static const char doc[] =
	/* what follows \v is shown behind the options */
	"Serve pvbus devices to one virtual machine of QEMU.\v\n"
	"In values, \",,\" stands for a comma. SIZE may end in K, M, G or T.\n\n"
	"Exit status: 0 the VM or this daemon was ended, 1 failure, 2 wrong usage.";

static const struct argp_option options[] = {
	{ "name", OPT_NAME, "NAME", 0,
	  "Name of the VM, unique on this host", 1 },
	{ "socket", OPT_SOCKET, "PATH", 0,
	  "UNIX socket that QEMU's ivshmem-doorbell device connects to", 1 },
	{ "socket-group", OPT_SOCKET_GROUP, "GROUP", 0,
	  "Group that may connect to it, as QEMU's (default: only root may)", 1 },
	{ "disk", OPT_DISK,
	  "id=ID,path=PATH[,readonly][,serial=SERIAL][,queues=N][,poll-us=US][,coalesce-us=US]",
	  0, "Offer a disk: a block device or a raw file", 2 },
	{ "net", OPT_NET,
	  "id=ID[,mac=MAC][,ifname=NAME][,mtu=MTU][,queues=N][,poll-us=US][,coalesce-us=US]",
	  0, "Offer a network card, with an interface on this host", 2 },
	{ "vectors", OPT_VECTORS, "N", 0,
	  "Require N vectors of the VM (default: use as many as it has)", 3 },
	{ "pin-limit", OPT_PIN_LIMIT, "SIZE", 0,
	  "Most guest memory to pin (default: the module's)", 3 },
	{ "loopback", OPT_LOOPBACK, NULL, 0,
	  "The guest is this kernel: no QEMU, no --socket", 3 },
	{ "run-dir", OPT_RUN_DIR, "DIR", 0,
	  "Directory of control sockets (default: " PVBUS_RUN_DIR ")", 4 },
	{ "foreground", OPT_FOREGROUND, NULL, 0,
	  "Stay in the foreground; this is always so", 4 },
	{ "verbose", 'v', NULL, 0, "Say more", 4 },
	{ }
};

static void __attribute__((noreturn)) usage_error(const struct pv_err *err)
{
	log_err("%s", err->text);
	exit(PVBUS_EXIT_USAGE);
}

/* Room for one more at the end of an array. */
static void *grow(void *array, size_t nr, size_t size)
{
	void *more = reallocarray(array, nr + 1, size);

	if (!more) {
		log_err("out of memory");
		exit(PVBUS_EXIT_FAILED);
	}
	return more;
}

static int add_disk(struct args *args, const char *text, struct pv_err *err)
{
	args->disks = grow(args->disks, args->nr_disks, sizeof(*args->disks));
	return spec_parse_disk(text, &args->disks[args->nr_disks++], err);
}

static int add_net(struct args *args, const char *text, struct pv_err *err)
{
	args->nets = grow(args->nets, args->nr_nets, sizeof(*args->nets));
	return spec_parse_net(text, &args->nets[args->nr_nets++], err);
}

static int set_socket(struct args *args, const char *text, struct pv_err *err)
{
	char cwd[PATH_MAX] = "";
	int n;

	if (!*text)
		return pv_err(err, "--socket '' is no path: give one");
	if (*text != '/' && !getcwd(cwd, sizeof(cwd)))
		return pv_err(err,
			      "--socket '%.300s' is relative and the working directory is gone: give an absolute path",
			      text);
	n = snprintf(args->socket, sizeof(args->socket), "%s%s%s", cwd,
		     *text != '/' ? "/" : "", text);
	if (n >= (int)sizeof(args->socket))
		return pv_err(err, "--socket has %d characters: use at most 107",
			      n);
	return 0;
}

static int set_socket_group(struct args *args, const char *text,
			    struct pv_err *err)
{
	const struct group *group = getgrnam(text);
	struct pv_err not_a_number;
	unsigned int gid;

	if (group) {
		args->socket_group = group->gr_gid;
		return 0;
	}
	if (spec_parse_number(text, "--socket-group", 0, INT_MAX, &gid,
			      &not_a_number))
		return pv_err(err,
			      "--socket-group '%.64s' is no group of this host: give the group that QEMU runs as, by name or number",
			      text);
	args->socket_group = gid;
	return 0;
}

static int set_run_dir(struct args *args, const char *text, struct pv_err *err)
{
	if (!*text)
		return pv_err(err, "--run-dir '' is no directory: give one");
	args->run_dir = text;
	return 0;
}

static int set_pin_limit(struct args *args, const char *text,
			 struct pv_err *err)
{
	if (spec_parse_size(text, "--pin-limit", &args->pin_limit, err))
		return -1;
	if (args->pin_limit % PVBUS_PAGE_SIZE)
		return pv_err(err,
			      "--pin-limit '%.64s' is not a multiple of %d: use whole pages, as in 512M",
			      text, PVBUS_PAGE_SIZE);
	return 0;
}

static error_t parse_option(int key, char *text, struct argp_state *state)
{
	struct args *args = state->input;
	struct pv_err err;
	int ret = 0;

	switch (key) {
	case OPT_NAME:
		ret = spec_parse_name(text, "--name", args->name, &err);
		break;
	case OPT_SOCKET:
		ret = set_socket(args, text, &err);
		break;
	case OPT_SOCKET_GROUP:
		ret = set_socket_group(args, text, &err);
		break;
	case OPT_DISK:
		ret = add_disk(args, text, &err);
		break;
	case OPT_NET:
		ret = add_net(args, text, &err);
		break;
	case OPT_VECTORS:
		ret = spec_parse_number(text, "--vectors", 1,
					PVBUS_MAX_VECTORS, &args->vectors,
					&err);
		break;
	case OPT_PIN_LIMIT:
		ret = set_pin_limit(args, text, &err);
		break;
	case OPT_RUN_DIR:
		ret = set_run_dir(args, text, &err);
		break;
	case OPT_LOOPBACK:
		args->loopback = true;
		break;
	case OPT_FOREGROUND:
		break;
	case 'v':
		args->verbose = true;
		break;
	case ARGP_KEY_ARG:
		ret = pv_err(&err, "'%.100s' is not an option: see --help", text);
		break;
	default:
		return ARGP_ERR_UNKNOWN;
	}
	if (ret)
		usage_error(&err);
	return 0;
}

static int check(const struct args *args, struct pv_err *err)
{
	if (!args->name[0])
		return pv_err(err, "--name is missing: name the VM, as in --name vm1");
	if (!args->loopback && !args->socket[0])
		return pv_err(err,
			      "--socket is missing: give the path of the socket that QEMU connects to");
	if (args->loopback && args->socket[0])
		return pv_err(err,
			      "--socket and --loopback exclude each other: a loopback VM has no QEMU");
	return spec_check_unique(args->disks, args->nr_disks, args->nets,
				 args->nr_nets, err);
}

static void print_version(FILE *to, struct argp_state *state)
{
	(void)state;
	fprintf(to,
		"pvbusd (pvbus) %s, protocol version %d to %d, control device version %d\n",
		PVBUS_RELEASE, PVBUS_VERSION_MIN, PVBUS_VERSION_MAX,
		PVBUS_IOC_VERSION);
}

/**
 * args_parse - parse the command line, or end the program
 * @args: result; free with args_free()
 * @argc: as main()'s
 * @argv: as main()'s
 */
void args_parse(struct args *args, int argc, char **argv)
{
	static const struct argp argp = {
		.options = options,
		.parser = parse_option,
		.doc = doc,
	};
	struct pv_err err;

	memset(args, 0, sizeof(*args));
	args->run_dir = PVBUS_RUN_DIR;
	args->socket_group = SOCK_NO_GROUP;
	argp_err_exit_status = PVBUS_EXIT_USAGE;
	argp_program_version_hook = print_version;
	if (cmdline_parse(&argp, argc, argv, args, &err) || check(args, &err))
		usage_error(&err);
}

/**
 * args_free - free what args_parse() allocated
 * @args: the command line
 */
void args_free(struct args *args)
{
	free(args->disks);
	free(args->nets);
}
