// SPDX-License-Identifier: GPL-2.0
/*
 * libpvbus: lists of key=value, as in id=root,path=/dev/vg/root,readonly, into
 * structures.
 *
 * As on QEMU's command line, ",," is a comma within a value. A key of another
 * device type, an unknown key and a key given twice are errors: what is
 * misspelt must not be ignored.
 */
#include "spec.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <linux/pvbus_net.h>

/* The longest value is a path; keys are short. */
#define ITEM_SIZE	(PATH_MAX + 32)

/**
 * struct spec_key - a key that a device understands
 * @name: the key
 * @flag: may be given without a value
 * @required: must be given
 * @parse: checks the value and stores it in the structure; @value is NULL for
 *	a flag without one
 */
struct spec_key {
	const char	*name;
	bool		flag;
	bool		required;
	int		(*parse)(const char *value, void *into,
				 struct pv_err *err);
};

static bool name_char(char c, bool first)
{
	if (c >= '0' && c <= '9')
		return true;
	if ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'))
		return true;
	return !first && c && strchr("._-", c);
}

/**
 * spec_parse_name - check the name of a VM or the id of a device
 * @text: what the user gave
 * @what: how to call it in the message
 * @name: PVBUS_ID_SIZE bytes, filled with zeros behind the name
 * @err: what is wrong
 *
 * Returns 0 or -1.
 */
int spec_parse_name(const char *text, const char *what, char *name,
		    struct pv_err *err)
{
	size_t len = strlen(text);
	size_t i;

	if (!len)
		return pv_err(err, "%s is empty: give it a name", what);
	if (len >= PVBUS_ID_SIZE)
		return pv_err(err,
			      "%s '%.64s' has %zu characters: use at most %d",
			      what, text, len, PVBUS_ID_SIZE - 1);
	for (i = 0; i < len; i++)
		if (!name_char(text[i], i == 0))
			return pv_err(err,
				      "%s '%.64s' is not a name: use letters, digits and '.', '_', '-', and begin with a letter or digit",
				      what, text);
	memset(name, 0, PVBUS_ID_SIZE);
	memcpy(name, text, len);
	return 0;
}

/**
 * spec_parse_number - check a decimal number
 * @text: what the user gave
 * @what: how to call it in the message
 * @min: least that is allowed
 * @max: most that is allowed
 * @number: result
 * @err: what is wrong
 *
 * Returns 0 or -1.
 */
int spec_parse_number(const char *text, const char *what, unsigned int min,
		      unsigned int max, unsigned int *number,
		      struct pv_err *err)
{
	unsigned long long value = 0;
	const char *p = text;

	for (; *p >= '0' && *p <= '9' && value <= max; p++)
		value = value * 10 + (unsigned int)(*p - '0');
	if (p == text || *p || value < min || value > max)
		return pv_err(err, "%s '%.64s' is wrong: use a number from %u to %u",
			      what, text, min, max);
	*number = value;
	return 0;
}

static int size_shift(char unit)
{
	static const char units[] = "KMGT";
	const char *p;

	if (!unit)
		return 0;
	p = strchr(units, toupper((unsigned char)unit));
	return p ? 10 * (int)(p - units + 1) : -1;
}

/**
 * spec_parse_size - check a number of bytes, as in 512M
 * @text: what the user gave: a number and optionally K, M, G or T
 * @what: how to call it in the message
 * @size: result in bytes, not 0
 * @err: what is wrong
 *
 * Returns 0 or -1.
 */
int spec_parse_size(const char *text, const char *what, uint64_t *size,
		    struct pv_err *err)
{
	uint64_t value = 0;
	const char *p = text;
	int shift;

	for (; *p >= '0' && *p <= '9' && value < UINT64_MAX / 16; p++)
		value = value * 10 + (unsigned int)(*p - '0');
	shift = size_shift(*p);
	if (!value || shift < 0 || (*p && p[1]) || value > UINT64_MAX >> shift)
		return pv_err(err,
			      "%s '%.64s' is not a size: use a number above 0 with K, M, G or T, as in 512M",
			      what, text);
	*size = value << shift;
	return 0;
}

static int hex_digit(char c)
{
	static const char digits[] = "0123456789abcdef";
	const char *p;

	if (!c)
		return -1;
	p = strchr(digits, tolower((unsigned char)c));
	return p ? (int)(p - digits) : -1;
}

static bool mac_digits(const char *text, uint8_t mac[6])
{
	int i;

	for (i = 0; i < 6; i++) {
		int high = hex_digit(text[0]);
		int low = high < 0 ? -1 : hex_digit(text[1]);

		if (low < 0 || text[2] != (i < 5 ? ':' : '\0'))
			return false;
		mac[i] = high << 4 | low;
		text += 3;
	}
	return true;
}

/**
 * spec_parse_mac - check the MAC address of a network card
 * @text: what the user gave
 * @mac: result, in the order of the wire
 * @err: what is wrong
 *
 * Returns 0 or -1.
 */
int spec_parse_mac(const char *text, uint8_t mac[6], struct pv_err *err)
{
	static const uint8_t none[6];

	if (!mac_digits(text, mac))
		return pv_err(err,
			      "mac '%.64s' is malformed: use six pairs of hex digits, as in 52:54:00:12:34:56",
			      text);
	if (mac[0] & 1)
		return pv_err(err,
			      "mac '%.64s' is a multicast address: use one whose first byte is even, as in 52:54:00:12:34:56",
			      text);
	if (!memcmp(mac, none, sizeof(none)))
		return pv_err(err,
			      "mac '%.64s' is zero: leave mac out for a random address",
			      text);
	return 0;
}

/**
 * spec_parse_ifname - check the name of a network interface
 * @text: what the user gave
 * @ifname: PVBUS_IFNAME_SIZE bytes
 * @err: what is wrong
 *
 * Returns 0 or -1.
 */
int spec_parse_ifname(const char *text, char *ifname, struct pv_err *err)
{
	size_t len = strlen(text);
	const char *p;

	if (!len || len >= PVBUS_IFNAME_SIZE)
		return pv_err(err,
			      "ifname '%.64s' has %zu characters: use 1 to %d",
			      text, len, PVBUS_IFNAME_SIZE - 1);
	for (p = text; *p; p++)
		if (*p <= ' ' || *p > '~' || strchr("/:%", *p))
			break;
	if (*p || !strcmp(text, ".") || !strcmp(text, ".."))
		return pv_err(err,
			      "ifname '%.64s' cannot name an interface: use letters, digits and '.', '_', '-'",
			      text);
	memset(ifname, 0, PVBUS_IFNAME_SIZE);
	memcpy(ifname, text, len);
	return 0;
}

static int parse_queues(const char *value, unsigned int *queues,
			struct pv_err *err)
{
	return spec_parse_number(value, "queues", 1, SPEC_MAX_QUEUES, queues,
				 err);
}

static int parse_poll_us(const char *value, struct tuning_spec *tuning,
			 struct pv_err *err)
{
	tuning->flags |= PVBUS_DEV_POLL_US;
	return spec_parse_number(value, "poll-us", 0, PVBUS_DEV_MAX_US,
				 &tuning->poll_us, err);
}

static int parse_coalesce_us(const char *value, struct tuning_spec *tuning,
			     struct pv_err *err)
{
	tuning->flags |= PVBUS_DEV_COALESCE_US;
	return spec_parse_number(value, "coalesce-us", 0, PVBUS_DEV_MAX_US,
				 &tuning->coalesce_us, err);
}

static int disk_id(const char *value, void *into, struct pv_err *err)
{
	struct disk_spec *disk = into;

	return spec_parse_name(value, "id", disk->id, err);
}

static int disk_path(const char *value, void *into, struct pv_err *err)
{
	struct disk_spec *disk = into;
	size_t len = strlen(value);

	if (!len || len >= sizeof(disk->path))
		return pv_err(err,
			      "path '%.300s' has %zu characters: use 1 to %zu",
			      value, len, sizeof(disk->path) - 1);
	memcpy(disk->path, value, len + 1);
	return 0;
}

static int disk_serial(const char *value, void *into, struct pv_err *err)
{
	struct disk_spec *disk = into;
	size_t len = strlen(value);
	size_t i;

	if (!len || len >= sizeof(disk->serial))
		return pv_err(err,
			      "serial '%.64s' has %zu characters: use 1 to %zu",
			      value, len, sizeof(disk->serial) - 1);
	for (i = 0; i < len; i++)
		if (value[i] < ' ' || value[i] > '~')
			return pv_err(err,
				      "serial '%.64s' has a character that cannot be printed: use ASCII",
				      value);
	memcpy(disk->serial, value, len + 1);
	return 0;
}

static int disk_readonly(const char *value, void *into, struct pv_err *err)
{
	struct disk_spec *disk = into;

	if (!value || !strcmp(value, "on"))
		disk->readonly = true;
	else if (strcmp(value, "off"))
		return pv_err(err, "readonly '%.64s' is wrong: use on or off",
			      value);
	return 0;
}

static int disk_queues(const char *value, void *into, struct pv_err *err)
{
	return parse_queues(value, &((struct disk_spec *)into)->queues, err);
}

static int disk_poll_us(const char *value, void *into, struct pv_err *err)
{
	return parse_poll_us(value, &((struct disk_spec *)into)->tuning, err);
}

static int disk_coalesce_us(const char *value, void *into, struct pv_err *err)
{
	return parse_coalesce_us(value, &((struct disk_spec *)into)->tuning,
				 err);
}

static int net_id(const char *value, void *into, struct pv_err *err)
{
	return spec_parse_name(value, "id", ((struct net_spec *)into)->id, err);
}

static int net_mac(const char *value, void *into, struct pv_err *err)
{
	return spec_parse_mac(value, ((struct net_spec *)into)->mac, err);
}

static int net_ifname(const char *value, void *into, struct pv_err *err)
{
	return spec_parse_ifname(value, ((struct net_spec *)into)->ifname, err);
}

static int net_mtu(const char *value, void *into, struct pv_err *err)
{
	return spec_parse_number(value, "mtu", PVBUS_NET_MIN_MTU,
				 PVBUS_NET_MAX_MTU,
				 &((struct net_spec *)into)->mtu, err);
}

static int net_queues(const char *value, void *into, struct pv_err *err)
{
	return parse_queues(value, &((struct net_spec *)into)->queues, err);
}

static int net_poll_us(const char *value, void *into, struct pv_err *err)
{
	return parse_poll_us(value, &((struct net_spec *)into)->tuning, err);
}

static int net_coalesce_us(const char *value, void *into, struct pv_err *err)
{
	return parse_coalesce_us(value, &((struct net_spec *)into)->tuning,
				 err);
}

#define DISK_KEYS	"id, path, readonly, serial, queues, poll-us, coalesce-us"
#define NET_KEYS	"id, mac, ifname, mtu, queues, poll-us, coalesce-us"

static const struct spec_key disk_keys[] = {
	{ .name = "id", .required = true, .parse = disk_id },
	{ .name = "path", .required = true, .parse = disk_path },
	{ .name = "readonly", .flag = true, .parse = disk_readonly },
	{ .name = "serial", .parse = disk_serial },
	{ .name = "queues", .parse = disk_queues },
	{ .name = "poll-us", .parse = disk_poll_us },
	{ .name = "coalesce-us", .parse = disk_coalesce_us },
	{ }
};

static const struct spec_key net_keys[] = {
	{ .name = "id", .required = true, .parse = net_id },
	{ .name = "mac", .parse = net_mac },
	{ .name = "ifname", .parse = net_ifname },
	{ .name = "mtu", .parse = net_mtu },
	{ .name = "queues", .parse = net_queues },
	{ .name = "poll-us", .parse = net_poll_us },
	{ .name = "coalesce-us", .parse = net_coalesce_us },
	{ }
};

/*
 * Copy the item at @text, up to a single comma, with ",," made one. Returns
 * what follows, or NULL when the item does not fit.
 */
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
		if (n == size - 1)
			return NULL;
		item[n++] = *text;
	}
	item[n] = '\0';
	return text;
}

static int parse_item(char *item, const struct spec_key *keys,
		      unsigned int *seen, void *into, const char *known,
		      struct pv_err *err)
{
	char *value = strchr(item, '=');
	unsigned int i;

	if (value)
		*value++ = '\0';
	for (i = 0; keys[i].name; i++)
		if (!strcmp(keys[i].name, item))
			break;
	if (!keys[i].name)
		return pv_err(err, "'%.64s' is not known here: use %s", item,
			      known);
	if (*seen & 1U << i)
		return pv_err(err, "'%.64s' is given twice: give it once", item);
	*seen |= 1U << i;
	if (!value && !keys[i].flag)
		return pv_err(err, "'%.64s' has no value: write %s=VALUE", item,
			      item);
	return keys[i].parse(value, into, err);
}

static int parse_spec(const char *text, const struct spec_key *keys,
		      void *into, const char *known, struct pv_err *err)
{
	char item[ITEM_SIZE];
	unsigned int seen = 0;
	unsigned int i;

	while (*text) {
		text = next_item(text, item, sizeof(item));
		if (!text)
			return pv_err(err,
				      "a value is longer than %d characters: shorten it",
				      PATH_MAX);
		if (parse_item(item, keys, &seen, into, known, err))
			return -1;
	}
	for (i = 0; keys[i].name; i++)
		if (keys[i].required && !(seen & 1U << i))
			return pv_err(err, "%s= is missing: add it",
				      keys[i].name);
	return 0;
}

/* Say which device the message is about. */
static int in_spec(const char *what, const char *text, struct pv_err *err)
{
	struct pv_err inner = *err;

	return pv_err(err, "%s '%.200s': %s", what, text, inner.text);
}

/**
 * spec_parse_disk - parse the description of a disk
 * @text: id=ID,path=PATH[,readonly][,serial=SERIAL][,queues=N][,poll-us=US]
 *	[,coalesce-us=US]
 * @disk: result
 * @err: what is wrong
 *
 * Returns 0 or -1.
 */
int spec_parse_disk(const char *text, struct disk_spec *disk,
		    struct pv_err *err)
{
	memset(disk, 0, sizeof(*disk));
	if (parse_spec(text, disk_keys, disk, DISK_KEYS, err))
		return in_spec("disk", text, err);
	return 0;
}

/**
 * spec_parse_net - parse the description of a network card
 * @text: id=ID[,mac=MAC][,ifname=NAME][,mtu=MTU][,queues=N][,poll-us=US]
 *	[,coalesce-us=US]
 * @net: result
 * @err: what is wrong
 *
 * Returns 0 or -1.
 */
int spec_parse_net(const char *text, struct net_spec *net, struct pv_err *err)
{
	memset(net, 0, sizeof(*net));
	if (parse_spec(text, net_keys, net, NET_KEYS, err))
		return in_spec("network card", text, err);
	return 0;
}

static void append(char *text, size_t size, size_t *len, const char *value,
		   bool escape)
{
	for (; *value; value++) {
		if (escape && *value == ',') {
			if (*len < size)
				text[*len] = ',';
			(*len)++;
		}
		if (*len < size)
			text[*len] = *value;
		(*len)++;
	}
}

static void append_number(char *text, size_t size, size_t *len,
			  const char *key, unsigned int number)
{
	char item[40];

	snprintf(item, sizeof(item), ",%s=%u", key, number);
	append(text, size, len, item, false);
}

/**
 * spec_format_disk - write a disk so that spec_parse_disk() reads it back
 * @disk: the disk
 * @text: result
 * @size: bytes there
 *
 * Returns 0, or -1 when @text is too small.
 */
int spec_format_disk(const struct disk_spec *disk, char *text, size_t size)
{
	const struct tuning_spec *tuning = &disk->tuning;
	size_t len = 0;

	append(text, size, &len, "id=", false);
	append(text, size, &len, disk->id, true);
	append(text, size, &len, ",path=", false);
	append(text, size, &len, disk->path, true);
	append(text, size, &len, disk->readonly ? ",readonly" : "", false);
	if (disk->serial[0]) {
		append(text, size, &len, ",serial=", false);
		append(text, size, &len, disk->serial, true);
	}
	if (disk->queues)
		append_number(text, size, &len, "queues", disk->queues);
	if (tuning->flags & PVBUS_DEV_POLL_US)
		append_number(text, size, &len, "poll-us", tuning->poll_us);
	if (tuning->flags & PVBUS_DEV_COALESCE_US)
		append_number(text, size, &len, "coalesce-us",
			      tuning->coalesce_us);
	if (len >= size)
		return -1;
	text[len] = '\0';
	return 0;
}

static const char *device_id(const struct disk_spec *disks, size_t nr_disks,
			     const struct net_spec *nets, size_t i)
{
	return i < nr_disks ? disks[i].id : nets[i - nr_disks].id;
}

static int check_nets(const struct net_spec *a, const struct net_spec *b,
		      struct pv_err *err)
{
	static const uint8_t none[6];

	if (a->ifname[0] && !strcmp(a->ifname, b->ifname))
		return pv_err(err,
			      "ifname '%.64s' is given to '%.64s' and to '%.64s': give each its own",
			      a->ifname, a->id, b->id);
	if (memcmp(a->mac, none, 6) && !memcmp(a->mac, b->mac, 6))
		return pv_err(err,
			      "mac %02x:%02x:%02x:%02x:%02x:%02x is given to '%.64s' and to '%.64s': give each its own",
			      a->mac[0], a->mac[1], a->mac[2], a->mac[3],
			      a->mac[4], a->mac[5], a->id, b->id);
	return 0;
}

/**
 * spec_check_unique - check that the devices of a VM differ
 * @disks: disks
 * @nr_disks: their number
 * @nets: network cards
 * @nr_nets: their number
 * @err: what is given twice
 *
 * Disks and network cards share one set of ids. Returns 0 or -1.
 */
int spec_check_unique(const struct disk_spec *disks, size_t nr_disks,
		      const struct net_spec *nets, size_t nr_nets,
		      struct pv_err *err)
{
	size_t nr = nr_disks + nr_nets;
	size_t i, j;

	for (i = 0; i < nr; i++)
		for (j = 0; j < i; j++) {
			const char *id = device_id(disks, nr_disks, nets, i);

			if (strcmp(id, device_id(disks, nr_disks, nets, j)))
				continue;
			return pv_err(err,
				      "id '%.64s' is given to two devices: give each its own",
				      id);
		}
	for (i = 0; i < nr_nets; i++)
		for (j = 0; j < i; j++)
			if (check_nets(&nets[j], &nets[i], err))
				return -1;
	return 0;
}
