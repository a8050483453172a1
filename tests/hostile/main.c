// SPDX-License-Identifier: GPL-2.0
/*
 * A hostile guest: the driver, and what runs the cases.
 *
 * Loading the module runs them and prints KTAP to the kernel log. It then fails
 * to load, so that it never has to be unloaded: with ECANCELED when all passed,
 * with EINVAL when one failed. pvblk and pvnet are not loaded: the disk and the
 * card are its own.
 *
 * After each case the host must have said that it was wrong, with a status, by
 * stopping the channel or by ending the session, and the same must be possible
 * anew at once, and then by the rules.
 */
#define pr_fmt(fmt) fmt

#include <linux/delay.h>
#include <linux/dma-mapping.h>
#include <linux/ioport.h>
#include <linux/module.h>
#include <linux/pci.h>
#include <linux/random.h>

#include "hostile.h"

#define CASES_NAMED	16
/* The guest's own core does not begin two sessions in a second. */
#define DEVICES_SECONDS	20

static char *only[CASES_NAMED];
static unsigned int only_nr;
module_param_array(only, charp, &only_nr, 0444);
MODULE_PARM_DESC(only, "run the cases of these names only");

static unsigned int seconds;
module_param(seconds, uint, 0444);
MODULE_PARM_DESC(seconds, "then do anything at random for so long");

static unsigned int seed;
module_param(seed, uint, 0444);
MODULE_PARM_DESC(seed, "of what is done at random; 0: another one each time");

unsigned int hostile_patience = 5;
module_param_named(patience, hostile_patience, uint, 0444);
MODULE_PARM_DESC(patience, "seconds that the host may take to answer");

/* Of the case that runs. */
static bool failed;

static struct hostile hostile;

void hostile_expect(bool cond, const char *what, const char *func, int line)
{
	if (cond)
		return;
	pr_info("# %s:%d: not true: %s\n", func, line, what);
	failed = true;
}

void hostile_got(const struct hostile_case *c, int got)
{
	if (got == c->want || (c->want == GOT_ANYTHING &&
			       (got >= 0 || got == GOT_BROKEN)))
		return;
	pr_info("# %s: want %d, got %d\n", c->name, c->want, got);
	failed = true;
}

u64 hostile_place(const struct hostile *h, enum hostile_place place)
{
	struct pci_dev *pci = to_pci_dev(h->bus->parent);

	switch (place) {
	case PLACE_REGS:
		return pci_resource_start(pci, 0);
	case PLACE_WINDOW:
		return pci_resource_start(pci, 2);
	case PLACE_APIC:
		return 0xfee00000;
	case PLACE_ROM:
		return 0xffff0000;
	case PLACE_END:
		return h->ram_end;
	case PLACE_LAST:
		return h->ram_end - PAGE_SIZE;
	case PLACE_FAR:
		return BIT_ULL(56);
	case PLACE_TOP:
		return PAGE_MASK;
	default:
		return 0xd0000000;
	}
}

void *hostile_spoil(const struct hostile *h, const struct hostile_case *c,
		    void *what)
{
	__le64 value = cpu_to_le64(c->value);

	if (c->size == sizeof(value) && !c->value)
		value = cpu_to_le64(hostile_place(h, c->place));
	memcpy(what + c->at, &value, c->size);
	return what;
}

/* -- the driver --------------------------------------------------------------- */

static int hostile_probe(struct pvbus_device *pdev)
{
	mutex_lock(&hostile.use);
	hostile.bus = pdev->bus;
	WRITE_ONCE(hostile.pdev[pdev->type - 1], pdev);
	mutex_unlock(&hostile.use);
	wake_up_all(&hostile.wait);
	return 0;
}

static void hostile_remove(struct pvbus_device *pdev)
{
	mutex_lock(&hostile.use);
	WRITE_ONCE(hostile.pdev[pdev->type - 1], NULL);
	mutex_unlock(&hostile.use);
}

static struct pvbus_driver hostile_drivers[HOSTILE_TYPES] = {
	{
		.type	= PVBUS_TYPE_BLK,
		.probe	= hostile_probe,
		.remove	= hostile_remove,
	}, {
		.type	= PVBUS_TYPE_NET,
		.probe	= hostile_probe,
		.remove	= hostile_remove,
	},
};

static const char * const hostile_names[HOSTILE_TYPES] = {
	"pvhostile-blk", "pvhostile-net",
};

static bool have_devices(struct hostile *h)
{
	unsigned int i;

	for (i = 0; i < HOSTILE_TYPES; i++) {
		struct pvbus_device *pdev = READ_ONCE(h->pdev[i]);

		if (!pdev || READ_ONCE(pdev->gone))
			return false;
	}
	return true;
}

/* Are both devices there, now or soon? They stay so until hostile_leave(). */
bool hostile_take(struct hostile *h)
{
	unsigned long end = jiffies + DEVICES_SECONDS * HZ;

	mutex_lock(&h->use);
	while (!have_devices(h) && time_before(jiffies, end)) {
		mutex_unlock(&h->use);
		wait_event_timeout(h->wait, have_devices(h), HZ / 10);
		mutex_lock(&h->use);
	}
	return have_devices(h);
}

void hostile_leave(struct hostile *h)
{
	mutex_unlock(&h->use);
}

/* -- memory ------------------------------------------------------------------- */

static int ram_extend(struct resource *res, void *arg)
{
	u64 *end = arg;

	if (res->start < SZ_4G)
		*end = max_t(u64, *end, res->end + 1);
	return 0;
}

/* The firmware's own at the end of RAM is RAM. */
static u64 ram_end(void)
{
	u64 end = 0;

	walk_iomem_res_desc(IORES_DESC_NONE,
			    IORESOURCE_SYSTEM_RAM | IORESOURCE_BUSY, 0, -1,
			    &end, ram_extend);
	return round_up(end, SZ_1M);
}

static void memory_free(struct hostile *h, struct device *dev)
{
	if (h->buf)
		dma_free_coherent(dev, HOSTILE_BUF_SIZE, h->buf, h->dma);
	if (h->table)
		dma_free_coherent(dev, PAGE_SIZE, h->table, h->table_dma);
	if (h->list)
		dma_free_coherent(dev, PAGE_SIZE, h->list, h->list_dma);
	if (h->rings)
		dma_free_coherent(dev, HOSTILE_RING_PAGES * PAGE_SIZE,
				  h->rings, h->rings_dma);
}

static bool memory_alloc(struct hostile *h, struct device *dev)
{
	h->ram_end = ram_end();
	h->buf = dma_alloc_coherent(dev, HOSTILE_BUF_SIZE, &h->dma, GFP_KERNEL);
	h->table = dma_alloc_coherent(dev, PAGE_SIZE, &h->table_dma,
				      GFP_KERNEL);
	h->list = dma_alloc_coherent(dev, PAGE_SIZE, &h->list_dma, GFP_KERNEL);
	h->rings = dma_alloc_coherent(dev, HOSTILE_RING_PAGES * PAGE_SIZE,
				      &h->rings_dma, GFP_KERNEL);
	return h->buf && h->table && h->list && h->rings;
}

/* -- cases -------------------------------------------------------------------- */

/* A channel, opened anew, on which what is right is done. */
bool hostile_anew(struct hostile *h, u16 type)
{
	struct pvbus_blk_req req;
	struct pvbus_net_tx tx;

	hostile_close(h);
	if (hostile_open(h, type))
		return false;
	if (type == PVBUS_TYPE_NET) {
		net_good(h, &tx);
		return !net_try(h, &tx);
	}
	blk_good(h, &req);
	return !blk_try(h, &req);
}

static bool is_open(const struct hostile *h, u16 type)
{
	return h->ch && h->ch->pdev->type == type;
}

static bool run_on_channel(struct hostile *h, const struct hostile_case *c)
{
	if (!is_open(h, c->type))
		EXPECT(hostile_anew(h, c->type));
	if (!failed)
		c->run(h, c);
	EXPECT(hostile_anew(h, c->type));
	return !failed;
}

static bool run_on_bus(struct hostile *h, const struct hostile_case *c)
{
	hostile_close(h);
	if (!h->held)
		hostile_hold(h);
	c->run(h, c);
	EXPECT(!session_attach(h));
	return !failed;
}

/* A bus core that finds its session gone begins another. */
static void give_back(struct hostile *h)
{
	if (h->held)
		hostile_release(h);
	else if (have_devices(h))
		return;
	hostile_close(h);
	hostile_leave(h);
	/* until it has found that */
	msleep(100);
	EXPECT(hostile_take(h));
}

static bool run_case(struct hostile *h, const struct hostile_case *c)
{
	failed = false;
	if (!c->type)
		return run_on_bus(h, c);
	give_back(h);
	return !failed && run_on_channel(h, c);
}

static bool wanted(const struct hostile_case *c)
{
	unsigned int i;

	for (i = 0; i < only_nr; i++)
		if (!strcmp(only[i], c->name))
			return true;
	return !only_nr;
}

static unsigned int run_cases(struct hostile *h, const struct hostile_case *c,
			      unsigned int *nr)
{
	unsigned int bad = 0;

	for (; c->name; c++) {
		if (!wanted(c))
			continue;
		(*nr)++;
		if (run_case(h, c)) {
			pr_info("ok %u %s\n", *nr, c->name);
		} else {
			pr_info("not ok %u %s\n", *nr, c->name);
			bad++;
		}
	}
	return bad;
}

/* What is left at the end is used by the rules. */
static bool run_random(struct hostile *h)
{
	u32 s = seed ? seed : get_random_u32();

	failed = false;
	give_back(h);
	pr_info("# random: seed=%u\n", s);
	if (!failed)
		EXPECT(!hostile_random(h, s, seconds));
	/* what was opened behind the core's back goes with a session */
	hostile_hold(h);
	EXPECT(!session_reset(h));
	give_back(h);
	if (!failed) {
		EXPECT(hostile_anew(h, PVBUS_TYPE_BLK));
		EXPECT(hostile_anew(h, PVBUS_TYPE_NET));
	}
	return !failed;
}

static unsigned int run_all(struct hostile *h)
{
	unsigned int nr = 0, bad = 0;

	pr_info("KTAP version 1\n");
	bad += run_cases(h, hostile_blk_cases, &nr);
	bad += run_cases(h, hostile_net_cases, &nr);
	bad += run_cases(h, hostile_ctl_cases, &nr);
	if (seconds) {
		bool ok = run_random(h);

		pr_info("%s %u random\n", ok ? "ok" : "not ok", ++nr);
		bad += !ok;
	}
	pr_info("1..%u\n# failed:%u\n", nr, bad);
	return bad;
}

/* Nobody but us knows of this memory, so the host must forget it, too. */
static int run(struct hostile *h)
{
	struct device *dev = h->bus->parent;
	unsigned int bad = 1;

	if (memory_alloc(h, dev))
		bad = run_all(h);
	hostile_close(h);
	if (!h->held)
		hostile_hold(h);
	session_reset(h);
	hostile_release(h);
	memory_free(h, dev);
	return bad ? -EINVAL : -ECANCELED;
}

static int __init hostile_init(void)
{
	struct hostile *h = &hostile;
	int i, err;

	mutex_init(&h->use);
	init_waitqueue_head(&h->wait);
	for (i = 0; i < HOSTILE_TYPES; i++) {
		err = __pvbus_register_driver(&hostile_drivers[i], THIS_MODULE,
					      hostile_names[i]);
		if (err)
			goto out;
	}
	err = -ENODEV;
	if (hostile_take(h) && dev_is_pci(h->bus->parent))
		err = run(h);
	hostile_leave(h);
out:
	while (i--)
		pvbus_unregister_driver(&hostile_drivers[i]);
	return err;
}

module_init(hostile_init);

MODULE_DESCRIPTION("a guest that breaks the rules of pvbus");
MODULE_LICENSE("GPL");
