// SPDX-License-Identifier: GPL-2.0
/*
 * pvbusd: mappings of QEMU that may be guest RAM.
 *
 * The guest proves with nonces which mapping is its RAM, but a hostile guest
 * also has a say in what lies in QEMU's heap. So a mapping is tried only if its
 * size is plausible:
 *
 * - When the command line tells how much RAM there is, the mapping has exactly
 *   that size, rounded up to a page of one of the sizes that x86 has.
 * - When it does not, the guest claims at least 16 MiB, and the mapping holds
 *   all that it claims and less than twice as much.
 *
 * RAM is one mapping to QEMU; the kernel may show it as several neighbours
 * (after mbind, mprotect or madvise on a part of it), so runs of neighbours
 * count as well as each part.
 */
#include "maps.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "util.h"

/* A process has at most 65530 mappings unless vm.max_map_count was raised. */
#define MAX_MAPS_TEXT	(32U << 20)

/* Heap, stack and what the kernel put there are not RAM. */
static bool special_name(const char *name)
{
	return *name == '[' && strncmp(name, "[anon:", 6);
}

/*
 * Parse one line. Returns 1 if it can be part of guest RAM, 0 if it cannot, -1
 * when it is malformed.
 */
static int parse_line(const char *line, struct map_area *area)
{
	unsigned int major, minor;
	char perms[5];
	int name = 0;

	if (sscanf(line, "%" SCNx64 "-%" SCNx64 " %4s %" SCNx64 " %x:%x %" SCNu64 "%n",
		   &area->start, &area->end, perms, &area->offset, &major,
		   &minor, &area->inode, &name) != 7 || !name)
		return -1;
	if (area->start >= area->end || strlen(perms) != 4)
		return -1;
	area->dev = (uint64_t)major << 32 | minor;
	area->shared = perms[3] == 's';
	name += strspn(line + name, " ");
	return perms[0] == 'r' && perms[1] == 'w' && !special_name(line + name);
}

static int append(struct map_list *list, size_t *room,
		  const struct map_area *area)
{
	struct map_area *more;

	if (list->nr == *room) {
		*room = *room ? 2 * *room : 256;
		more = reallocarray(list->area, *room, sizeof(*more));
		if (!more)
			return -1;
		list->area = more;
	}
	list->area[list->nr++] = *area;
	return 0;
}

/**
 * maps_parse - parse the text of /proc/PID/maps
 * @text: NUL-terminated
 * @list: result: what may be part of guest RAM
 *
 * Returns 0, or -1 with nothing in @list when the text is malformed or memory
 * is short.
 */
int maps_parse(const char *text, struct map_list *list)
{
	struct map_area area;
	size_t room = 0;

	memset(list, 0, sizeof(*list));
	while (*text) {
		const char *end = strchrnul(text, '\n');
		char line[256];
		size_t len = end - text;
		int ret;

		/* of a long line only the name is lost, which may be */
		if (len >= sizeof(line))
			len = sizeof(line) - 1;
		memcpy(line, text, len);
		line[len] = '\0';
		ret = parse_line(line, &area);
		if (ret < 0 || (ret > 0 && append(list, &room, &area))) {
			maps_free(list);
			return -1;
		}
		text = *end ? end + 1 : end;
	}
	return 0;
}

/**
 * maps_free - free a list
 * @list: list, which is empty then
 */
void maps_free(struct map_list *list)
{
	free(list->area);
	memset(list, 0, sizeof(*list));
}

/* Can @b, which follows @a in the list, be a part of the same mapping? */
static bool joinable(const struct map_area *a, const struct map_area *b)
{
	if (a->end != b->start || a->shared != b->shared ||
	    a->dev != b->dev || a->inode != b->inode)
		return false;
	return !a->inode || b->offset - a->offset == a->end - a->start;
}

/* QEMU rounds RAM up to the page size of what backs it. */
static bool size_matches(uint64_t size, uint64_t ram_size)
{
	static const uint64_t pages[] = { 1ULL << 13, 1ULL << 21, 1ULL << 30 };
	size_t i;

	for (i = 0; i < ARRAY_SIZE(pages); i++)
		if (size == (ram_size + pages[i] - 1) / pages[i] * pages[i])
			return true;
	return size == ram_size;
}

static bool size_plausible(uint64_t size, uint64_t ram_size, uint64_t claim)
{
	if (size < claim)
		return false;
	if (ram_size)
		return size_matches(size, ram_size);
	return claim >= MAPS_MIN_CLAIM && size / 2 < claim;
}

/* Keep @cand descending by size; the smallest goes when there are too many. */
static size_t insert(struct map_range *cand, size_t nr, uint64_t start,
		     uint64_t size)
{
	size_t i = nr;

	while (i > 0 && cand[i - 1].size < size)
		i--;
	if (i == MAPS_MAX_CANDIDATES)
		return nr;
	if (nr == MAPS_MAX_CANDIDATES)
		nr--;
	memmove(&cand[i + 1], &cand[i], (nr - i) * sizeof(*cand));
	cand[i] = (struct map_range){ .start = start, .size = size };
	return nr + 1;
}

/**
 * maps_candidates - find what may be guest RAM
 * @list: areas
 * @ram_size: bytes of RAM that the VM was given, or 0 if that is not known
 * @claim: bytes of RAM that the guest claims to have, at least
 * @cand: result, the largest first
 *
 * Returns the number of candidates.
 */
size_t maps_candidates(const struct map_list *list, uint64_t ram_size,
		       uint64_t claim,
		       struct map_range cand[MAPS_MAX_CANDIDATES])
{
	const struct map_area *a = list->area;
	/* no run longer than this can match */
	uint64_t most = ram_size ? ram_size + (1ULL << 30) : 2 * claim;
	size_t nr = 0;
	size_t i, j;

	if (claim > UINT64_MAX / 4 || ram_size > UINT64_MAX / 4)
		return 0;
	for (i = 0; i < list->nr; i++)
		for (j = i; j < list->nr; j++) {
			uint64_t size = a[j].end - a[i].start;

			if ((j > i && !joinable(&a[j - 1], &a[j])) ||
			    size > most)
				break;
			if (size_plausible(size, ram_size, claim))
				nr = insert(cand, nr, a[i].start, size);
		}
	return nr;
}

static char *read_text(int fd)
{
	size_t room = 1U << 16;
	size_t len = 0;
	char *text = malloc(room);
	ssize_t n;

	while (text) {
		char *more;

		n = read(fd, text + len, room - len - 1);
		if (n <= 0)
			break;
		len += n;
		if (room - len > 4096)
			continue;
		room *= 2;
		more = room <= MAX_MAPS_TEXT ? realloc(text, room) : NULL;
		if (!more) {
			free(text);
			errno = E2BIG;
			return NULL;
		}
		text = more;
	}
	if (text && n < 0) {
		free(text);
		return NULL;
	}
	if (text)
		text[len] = '\0';
	return text;
}

/**
 * maps_read - read the mappings of a process
 * @pid: QEMU
 * @list: result
 *
 * Returns 0, or -1 with errno.
 */
int maps_read(int pid, struct map_list *list)
{
	char path[32], *text;
	int ret, fd;

	snprintf(path, sizeof(path), "/proc/%d/maps", pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return -1;
	text = read_text(fd);
	close(fd);
	if (!text)
		return -1;
	errno = EINVAL;
	ret = maps_parse(text, list);
	free(text);
	return ret;
}
