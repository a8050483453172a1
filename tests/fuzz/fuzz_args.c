// SPDX-License-Identifier: GPL-2.0
/* SOURCES: userspace/pvbusd/args.c userspace/lib/cmdline.c */
/* SOURCES: userspace/lib/spec.c userspace/lib/err.c */
/* DEFINES: -Dexit=fuzz_exit */
/*
 * pvbusd's command line, and with it all descriptions of devices: what is
 * accepted is in bounds, and a disk that is written out again reads the same.
 */
#include <grp.h>
#include <setjmp.h>
#include <stdarg.h>

#include <sanitizer/allocator_interface.h>

#include "args.h"
#include "fuzz.h"
#include "log.h"
#include "paths.h"

#define MAX_ARGS	24

#define MAX_ALLOCS	64

static jmp_buf out;
/* What was allocated meanwhile: the library's own is lost when we jump out. */
static const __volatile__ void *allocs[MAX_ALLOCS];
static bool remember;

static const char * const options[] = {
	"--name", "--socket", "--disk", "--net", "--vectors", "--pin-limit",
	"--run-dir", "--loopback", "--foreground", "--verbose", "-v",
	"--socket-group",
};

#define NR_OPTIONS	(sizeof(options) / sizeof(options[0]))

void __attribute__((noreturn)) fuzz_exit(int code)
{
	must(code == PVBUS_EXIT_USAGE);
	longjmp(out, 1);
}

static void on_malloc(const __volatile__ void *p, size_t size)
{
	unsigned int i;

	for (i = 0; remember && i < MAX_ALLOCS; i++)
		if (!allocs[i]) {
			allocs[i] = p;
			return;
		}
	must(!remember);
}

static void on_free(const __volatile__ void *p)
{
	unsigned int i;

	for (i = 0; p && i < MAX_ALLOCS; i++)
		if (allocs[i] == p)
			allocs[i] = NULL;
}

static void free_what_is_left(void)
{
	unsigned int i;

	remember = false;
	for (i = 0; i < MAX_ALLOCS; i++)
		free((void *)allocs[i]);
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	return !__sanitizer_install_malloc_and_free_hooks(on_malloc, on_free);
}

/* One line, whatever was quoted in it. */
void log_err(const char *fmt, ...)
{
	char text[8192], *p;
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	must(*text);
	for (p = text; *p; p++)
		must((unsigned char)*p >= ' ' && *p != 0x7f);
}

/* There is one group, and no file to look it up in. */
struct group *getgrnam(const char *name)
{
	static struct group kvm = { .gr_name = "kvm", .gr_gid = 77 };

	return strcmp(name, "kvm") ? NULL : &kvm;
}

static bool starts(const char *text, const char *with)
{
	return !strncmp(text, with, strlen(with));
}

/* The library ends the program itself when it is asked what it can do. */
static bool asks(const char *arg)
{
	if (starts(arg, "--"))
		return starts(arg, "--vers") || starts(arg, "--us") ||
		       starts(arg, "--he") || starts(arg, "--H");
	return arg[0] == '-' && (strchr(arg, 'V') || strchr(arg, '?'));
}

/* @all is the rest of the input: words with an option or none before each. */
static int make_argv(char **argv, char *all, size_t len)
{
	int argc = 1;
	char *p = all;

	argv[0] = "pvbusd";
	while (p < all + len && argc < MAX_ARGS - 2) {
		unsigned int option = (unsigned char)*p++;

		if (option < NR_OPTIONS)
			argv[argc++] = (char *)options[option];
		if (!*p || !asks(p))
			argv[argc++] = p;
		p += strlen(p) + 1;
	}
	argv[argc] = NULL;
	return argc;
}

static void check_text(const char *text, size_t size)
{
	must(strnlen(text, size) < size);
}

static void check_tuning(const struct tuning_spec *t)
{
	must(!(t->flags & ~(PVBUS_DEV_POLL_US | PVBUS_DEV_COALESCE_US)));
	must(t->poll_us <= PVBUS_DEV_MAX_US);
	must(t->coalesce_us <= PVBUS_DEV_MAX_US);
}

static void check_disk(const struct disk_spec *disk)
{
	static char text[4 * PATH_MAX];
	struct disk_spec again;
	struct pv_err err;

	check_text(disk->id, sizeof(disk->id));
	check_text(disk->path, sizeof(disk->path));
	check_text(disk->serial, sizeof(disk->serial));
	must(disk->id[0] && disk->path[0]);
	must(disk->queues <= SPEC_MAX_QUEUES);
	check_tuning(&disk->tuning);
	must(!spec_format_disk(disk, text, sizeof(text)));
	must(!spec_parse_disk(text, &again, &err));
	must(!memcmp(disk, &again, sizeof(again)));
}

static void check_net(const struct net_spec *net)
{
	check_text(net->id, sizeof(net->id));
	check_text(net->ifname, sizeof(net->ifname));
	must(net->id[0]);
	must(net->queues <= SPEC_MAX_QUEUES);
	must(!(net->mac[0] & 1));
	must(!strchr(net->ifname, '/'));
	check_tuning(&net->tuning);
}

static void check(const struct args *args)
{
	size_t i;

	check_text(args->name, sizeof(args->name));
	check_text(args->socket, sizeof(args->socket));
	must(args->name[0] && (args->loopback || args->socket[0] == '/'));
	must(args->vectors <= PVBUS_MAX_VECTORS);
	must(!(args->pin_limit % PVBUS_PAGE_SIZE));
	must(*args->run_dir);
	for (i = 0; i < args->nr_disks; i++)
		check_disk(&args->disks[i]);
	for (i = 0; i < args->nr_nets; i++)
		check_net(&args->nets[i]);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct args args;
	char *argv[MAX_ARGS];
	char *all = malloc(size + 2);

	memcpy(all, data, size);
	all[size] = '\0';
	all[size + 1] = '\0';
	remember = true;
	if (!setjmp(out)) {
		args_parse(&args, make_argv(argv, all, size), argv);
		check(&args);
	}
	args_free(&args);
	free_what_is_left();
	free(all);
	return 0;
}
