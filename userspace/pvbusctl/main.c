// SPDX-License-Identifier: GPL-2.0
/*
 * pvbusctl: shows and changes the VMs that pvbusd serves.
 */
#include <argp.h>
#include <errno.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "client.h"
#include "cmdline.h"
#include "paths.h"
#include "show.h"
#include "spec.h"
#include "util.h"

enum {
	OPT_JSON = 256,
	OPT_RUN_DIR,
	OPT_TIMEOUT,
	OPT_WATCH,
};

#define MAX_ARGS	2

/**
 * struct args - the command line
 * @command: what to do
 * @arg: its arguments
 * @nr_args: their number
 * @run_dir: directory of control sockets
 * @watch: seconds between two looks at counters, or 0
 * @timeout: seconds that the guest may take to let go of a device, or -1
 * @json: print JSON
 */
struct args {
	const char	*command;
	const char	*arg[MAX_ARGS];
	unsigned int	nr_args;
	const char	*run_dir;
	unsigned int	watch;
	int		timeout;
	bool		json;
};

static const char doc[] =
	/* what follows \v is shown behind the options */
	"Show and change the VMs that pvbusd serves.\v\n"
	"Commands:\n"
	"  list                 the VMs on this host\n"
	"  show VM              a VM and its devices\n"
	"  stats VM             counters of its channels\n"
	"  add-disk VM SPEC     id=ID,path=PATH[,readonly][,serial=SERIAL]\n"
	"                       [,queues=N][,poll-us=US][,coalesce-us=US]\n"
	"  add-net VM SPEC      id=ID[,mac=MAC][,ifname=NAME][,mtu=MTU]\n"
	"                       [,queues=N][,poll-us=US][,coalesce-us=US]\n"
	"  resize VM ID         tell the guest how large the disk is now\n"
	"  remove VM ID         take a device from the guest\n\n"
	"Exit status: 0 done, 1 failure, 2 wrong usage.";

static const struct argp_option options[] = {
	{ "json", OPT_JSON, NULL, 0, "Print JSON", 0 },
	{ "watch", OPT_WATCH, "SEC", 0,
	  "stats: print what happens per second, every SEC seconds", 0 },
	{ "timeout", OPT_TIMEOUT, "SEC", 0,
	  "remove: how long the guest may take (default: 5, at most 60)", 0 },
	{ "run-dir", OPT_RUN_DIR, "DIR", 0,
	  "Directory of control sockets (default: " PVBUS_RUN_DIR ")", 0 },
	{ }
};

static void __attribute__((noreturn)) die(int code, const struct pv_err *err)
{
	fprintf(stderr, "pvbusctl: %s\n", err->text);
	exit(code);
}

static int add_arg(struct args *args, const char *text, struct pv_err *err)
{
	if (!args->command)
		args->command = text;
	else if (args->nr_args < MAX_ARGS)
		args->arg[args->nr_args++] = text;
	else
		return pv_err(err, "'%.100s' is one argument too many: see --help",
			      text);
	return 0;
}

static error_t parse_option(int key, char *text, struct argp_state *state)
{
	struct args *args = state->input;
	unsigned int seconds;
	struct pv_err err;
	int ret = 0;

	switch (key) {
	case OPT_JSON:
		args->json = true;
		break;
	case OPT_RUN_DIR:
		args->run_dir = text;
		break;
	case OPT_WATCH:
		ret = spec_parse_number(text, "--watch", 1, 3600, &args->watch,
					&err);
		break;
	case OPT_TIMEOUT:
		ret = spec_parse_number(text, "--timeout", 0,
					PVBUS_REMOVE_MAX_MS / 1000, &seconds,
					&err);
		if (!ret)
			args->timeout = (int)seconds;
		break;
	case ARGP_KEY_ARG:
		ret = add_arg(args, text, &err);
		break;
	default:
		return ARGP_ERR_UNKNOWN;
	}
	if (ret)
		die(PVBUS_EXIT_USAGE, &err);
	return 0;
}

/* -- commands: each returns an exit code, with words if it is not 0 --------- */

static json_t *ask(const struct args *args, json_t *request, int timeout_ms,
		   struct pv_err *err)
{
	int fd = client_connect(args->run_dir, args->arg[0], err);
	json_t *response;

	if (fd < 0) {
		json_decref(request);
		return NULL;
	}
	response = client_request(fd, args->arg[0], request, timeout_ms, err);
	close(fd);
	return response;
}

static void print_json(json_t *json)
{
	json_object_del(json, "ok");
	json_dumpf(json, stdout, JSON_COMPACT);
	putchar('\n');
	fflush(stdout);
}

/*
 * One VM of the list. A VM that ends meanwhile is none; one whose daemon does
 * not answer is an error, but not the end of the list.
 */
static int list_one(const struct args *args, const char *name, json_t *vms)
{
	json_t *response;
	struct pv_err err;
	int fd = client_connect(args->run_dir, name, &err);

	if (fd == CLIENT_STALE)
		return 0;
	response = fd < 0 ? NULL :
		   client_request(fd, name, json_pack("{s:s}", "cmd", "show"),
				  CLIENT_TIMEOUT_MS, &err);
	if (fd >= 0)
		close(fd);
	if (!response) {
		fprintf(stderr, "pvbusctl: %s\n", err.text);
		return PVBUS_EXIT_FAILED;
	}
	json_array_append(vms, json_object_get(response, "vm"));
	json_decref(response);
	return 0;
}

static int cmd_list(const struct args *args, struct pv_err *err)
{
	struct client_names names;
	json_t *vms;
	int ret = 0;
	size_t i;

	if (client_list(args->run_dir, &names, err))
		return PVBUS_EXIT_FAILED;
	vms = json_array();
	for (i = 0; i < names.nr; i++)
		if (list_one(args, names.name[i], vms))
			ret = PVBUS_EXIT_FAILED;
	client_list_free(&names);
	if (args->json)
		print_json(vms);
	else
		show_list(vms);
	json_decref(vms);
	return ret;
}

static int cmd_show(const struct args *args, struct pv_err *err)
{
	json_t *response = ask(args, json_pack("{s:s}", "cmd", "show"),
			       CLIENT_TIMEOUT_MS, err);

	if (!response)
		return PVBUS_EXIT_FAILED;
	if (args->json)
		print_json(response);
	else
		show_vm(response);
	json_decref(response);
	return 0;
}

static json_t *get_stats(const struct args *args, struct pv_err *err)
{
	return ask(args, json_pack("{s:s}", "cmd", "stats"), CLIENT_TIMEOUT_MS,
		   err);
}

static double now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (double)ts.tv_sec + (double)ts.tv_nsec / 1e9;
}

static int watch_stats(const struct args *args, struct pv_err *err)
{
	json_t *before = NULL, *response;
	double last = now();

	while ((response = get_stats(args, err))) {
		double time = now();

		if (args->json) {
			print_json(response);
		} else if (before) {
			show_stats(response, before, time - last);
			putchar('\n');
			fflush(stdout);
		}
		json_decref(before);
		before = response;
		last = time;
		sleep(args->watch);
	}
	json_decref(before);
	return PVBUS_EXIT_FAILED;
}

static int cmd_stats(const struct args *args, struct pv_err *err)
{
	json_t *response;

	if (args->watch)
		return watch_stats(args, err);
	response = get_stats(args, err);
	if (!response)
		return PVBUS_EXIT_FAILED;
	if (args->json)
		print_json(response);
	else
		show_stats(response, NULL, 0);
	json_decref(response);
	return 0;
}

/* A request that is answered with a device. */
static int change(const struct args *args, const char *cmd, const char *key,
		  const char *value, struct pv_err *err)
{
	json_t *response = ask(args, json_pack("{s:s, s:s}", "cmd", cmd, key,
					       value),
			       CLIENT_TIMEOUT_MS, err);

	if (!response)
		return PVBUS_EXIT_FAILED;
	if (args->json)
		print_json(json_object_get(response, "device"));
	else
		show_device(response);
	json_decref(response);
	return 0;
}

/* A path is relative to where pvbusctl, not pvbusd, was started. */
static int make_absolute(struct disk_spec *disk, struct pv_err *err)
{
	char cwd[PATH_MAX];
	size_t len, path_len = strlen(disk->path);

	if (*disk->path == '/')
		return 0;
	if (!getcwd(cwd, sizeof(cwd)))
		return pv_err(err,
			      "path '%.300s' is relative and the working directory is gone: give an absolute path",
			      disk->path);
	len = strlen(cwd);
	if (len + 1 + path_len >= sizeof(disk->path))
		return pv_err(err, "path '%.300s' is too long: use a shorter one",
			      disk->path);
	memmove(disk->path + len + 1, disk->path, path_len + 1);
	memcpy(disk->path, cwd, len);
	disk->path[len] = '/';
	return 0;
}

static int cmd_add_disk(const struct args *args, struct pv_err *err)
{
	/* each comma of a path may become two */
	char spec[2 * PATH_MAX + 256];
	struct disk_spec disk;

	if (spec_parse_disk(args->arg[1], &disk, err))
		return PVBUS_EXIT_USAGE;
	if (make_absolute(&disk, err))
		return PVBUS_EXIT_FAILED;
	if (spec_format_disk(&disk, spec, sizeof(spec))) {
		pv_err(err, "disk '%s' is too long: use a shorter path",
		       disk.id);
		return PVBUS_EXIT_FAILED;
	}
	return change(args, "add-disk", "spec", spec, err);
}

static int cmd_add_net(const struct args *args, struct pv_err *err)
{
	struct net_spec net;

	if (spec_parse_net(args->arg[1], &net, err))
		return PVBUS_EXIT_USAGE;
	return change(args, "add-net", "spec", args->arg[1], err);
}

static int cmd_resize(const struct args *args, struct pv_err *err)
{
	char id[PVBUS_ID_SIZE];

	if (spec_parse_name(args->arg[1], "id", id, err))
		return PVBUS_EXIT_USAGE;
	return change(args, "resize", "id", id, err);
}

static int cmd_remove(const struct args *args, struct pv_err *err)
{
	int ms = args->timeout < 0 ? PVBUS_REMOVE_MS : 1000 * args->timeout;
	char id[PVBUS_ID_SIZE];
	json_t *response;

	if (spec_parse_name(args->arg[1], "id", id, err))
		return PVBUS_EXIT_USAGE;
	response = ask(args, json_pack("{s:s, s:s, s:i}", "cmd", "remove",
				       "id", id, "timeout_ms", ms),
		       ms + CLIENT_TIMEOUT_MS, err);
	if (!response)
		return PVBUS_EXIT_FAILED;
	if (args->json)
		print_json(response);
	json_decref(response);
	return 0;
}

/**
 * struct command - a command
 * @name: what the user writes
 * @nr_args: arguments that it takes
 * @usage: how to call it
 * @run: carry it out
 */
struct command {
	const char	*name;
	unsigned int	nr_args;
	const char	*usage;
	int		(*run)(const struct args *args, struct pv_err *err);
};

static const struct command commands[] = {
	{ "list", 0, "list", cmd_list },
	{ "show", 1, "show VM", cmd_show },
	{ "stats", 1, "stats VM [--watch SEC]", cmd_stats },
	{ "add-disk", 2, "add-disk VM id=ID,path=PATH", cmd_add_disk },
	{ "add-net", 2, "add-net VM id=ID", cmd_add_net },
	{ "resize", 2, "resize VM ID", cmd_resize },
	{ "remove", 2, "remove VM ID [--timeout SEC]", cmd_remove },
};

#define COMMAND_NAMES	"list, show, stats, add-disk, add-net, resize or remove"

static const struct command *find_command(const char *name, struct pv_err *err)
{
	size_t i;

	for (i = 0; name && i < ARRAY_SIZE(commands); i++)
		if (!strcmp(commands[i].name, name))
			return &commands[i];
	if (name)
		pv_err(err, "command '%.100s' is not known: use " COMMAND_NAMES,
		       name);
	else
		pv_err(err, "no command is given: use " COMMAND_NAMES);
	return NULL;
}

static int check(const struct args *args, const struct command *command,
		 struct pv_err *err)
{
	char name[PVBUS_ID_SIZE];

	if (args->nr_args != command->nr_args)
		return pv_err(err, "command '%s' takes %u argument%s: use 'pvbusctl %s'",
			      command->name, command->nr_args,
			      command->nr_args == 1 ? "" : "s", command->usage);
	if (args->watch && command->run != cmd_stats)
		return pv_err(err, "--watch is for 'stats' only: leave it out");
	if (args->timeout >= 0 && command->run != cmd_remove)
		return pv_err(err, "--timeout is for 'remove' only: leave it out");
	return args->nr_args ? spec_parse_name(args->arg[0], "VM", name, err) : 0;
}

static void print_version(FILE *to, struct argp_state *state)
{
	(void)state;
	fprintf(to, "pvbusctl (pvbus) %s\n", PVBUS_RELEASE);
}

int main(int argc, char **argv)
{
	static const struct argp argp = {
		.options = options,
		.parser = parse_option,
		.args_doc = "COMMAND [ARGUMENT...]",
		.doc = doc,
	};
	struct args args = { .run_dir = PVBUS_RUN_DIR, .timeout = -1 };
	const struct command *command;
	struct pv_err err = { "" };
	int ret;

	argp_err_exit_status = PVBUS_EXIT_USAGE;
	argp_program_version_hook = print_version;
	if (cmdline_parse(&argp, argc, argv, &args, &err))
		die(PVBUS_EXIT_USAGE, &err);
	command = find_command(args.command, &err);
	if (!command || check(&args, command, &err))
		die(PVBUS_EXIT_USAGE, &err);
	ret = command->run(&args, &err);
	if (ret && err.text[0])
		die(ret, &err);
	return ret;
}
