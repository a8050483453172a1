// SPDX-License-Identifier: GPL-2.0
/*
 * A guest that rings a doorbell without end: ring_doorbell PCI_DEVICE VECTOR
 * SECONDS, with the device's directory in sysfs. Prints how often it did. The
 * kernel must let memory in use be mapped (iomem=relaxed).
 */
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <time.h>

#define BAR_DOORBELL	12	/* in BAR0, see Documentation/protocol.rst */
#define WIN_PEER	24	/* in BAR2 */

static uint32_t *map_bar(const char *device, int bar)
{
	char path[256];
	void *map;
	int fd;

	snprintf(path, sizeof(path), "%s/resource%d", device, bar);
	fd = open(path, O_RDWR);
	map = fd < 0 ? MAP_FAILED :
	      mmap(NULL, 256, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (map == MAP_FAILED) {
		perror(path);
		exit(1);
	}
	return map;
}

int main(int argc, char **argv)
{
	uint32_t *registers, *window;
	unsigned long rings = 0;
	uint32_t value;
	time_t end;

	if (argc != 4)
		return 2;
	registers = map_bar(argv[1], 0);
	window = map_bar(argv[1], 2);
	value = __atomic_load_n(&window[WIN_PEER / 4], __ATOMIC_RELAXED) << 16 |
		(uint32_t)atoi(argv[2]);
	for (end = time(NULL) + atoi(argv[3]); time(NULL) < end; rings++)
		__atomic_store_n(&registers[BAR_DOORBELL / 4], value,
				 __ATOMIC_RELAXED);
	printf("%lu\n", rings);
	return 0;
}
