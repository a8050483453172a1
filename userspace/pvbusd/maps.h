/* SPDX-License-Identifier: GPL-2.0 */
/*
 * pvbusd: mappings of QEMU that may be guest RAM. Pure functions over the text
 * of /proc/PID/maps.
 */
#ifndef PVBUSD_MAPS_H
#define PVBUSD_MAPS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Mappings that are tried at most. */
#define MAPS_MAX_CANDIDATES	64

/* Guests with less RAM are not told from the rest of QEMU by size alone. */
#define MAPS_MIN_CLAIM		(16ULL << 20)

/**
 * struct map_area - a readable and writable mapping that RAM may be in
 * @start: first address
 * @end: behind the last
 * @offset: of @start in the file
 * @dev: of the file
 * @inode: of the file, 0 if there is none
 * @shared: MAP_SHARED
 */
struct map_area {
	uint64_t	start;
	uint64_t	end;
	uint64_t	offset;
	uint64_t	dev;
	uint64_t	inode;
	bool		shared;
};

/**
 * struct map_list - areas, ascending
 * @area: allocated; free with maps_free()
 * @nr: their number
 */
struct map_list {
	struct map_area	*area;
	size_t		nr;
};

/**
 * struct map_range - addresses that may be guest RAM as a whole
 * @start: first address
 * @size: bytes
 */
struct map_range {
	uint64_t	start;
	uint64_t	size;
};

int maps_parse(const char *text, struct map_list *list);
void maps_free(struct map_list *list);
size_t maps_candidates(const struct map_list *list, uint64_t ram_size,
		       uint64_t claim,
		       struct map_range cand[MAPS_MAX_CANDIDATES]);
int maps_read(int pid, struct map_list *list);

#endif /* PVBUSD_MAPS_H */
