// SPDX-License-Identifier: GPL-2.0
/*
 * A VM for the fuzzers of the host: see vm.h.
 *
 * Of the module, what is not here is real: vm.c and chardev.c set up what
 * host_begin() does, doorbell.c and worker.c wait for others, and there is
 * nobody to wait for.
 */
#include "kernel/vm.h"

#define MAX_IO		64

struct pvh_vm vm;
struct page ram[RAM_PAGES];
unsigned short pvh_protocol_min = PVBUS_VERSION_MIN;
unsigned short pvh_protocol_max = PVBUS_VERSION_MAX;
struct workqueue_struct *pvh_reap_wq;

/*
 * Pins after which the VM is at its limit; 0: none. Or where memory is scarce, how
 * often it has to be tried for each.
 */
static unsigned int pins_left, pins_tried;
static bool scarce;
static struct pvh_blk disk;
static struct pvh_blk_req *io[MAX_IO];
static unsigned int nr_io;
/* What the requests of this turn move. */
static u64 turn_bytes;
/* The generation that the guest was told of. */
static u32 told;
/* Workers that were told to end; they do when the fuzzer lets works run. */
static struct work_struct drain_work;

/* -- guest RAM ----------------------------------------------------------------------- */

u64 host_gpa(unsigned int n)
{
	n %= RAM_PAGES;
	return n < RAM_LOW_PAGES ? n * PAGE_SIZE :
				   RAM_HIGH + (n - RAM_LOW_PAGES) * PAGE_SIZE;
}

static struct page *page_at(u64 gpa)
{
	u64 n = gpa >> PAGE_SHIFT;

	if (gpa >= RAM_HIGH)
		n = n - (RAM_HIGH >> PAGE_SHIFT) + RAM_LOW_PAGES;
	else if (n >= RAM_LOW_PAGES)
		return NULL;
	return n < RAM_PAGES ? &ram[n] : NULL;
}

void *host_ram(u64 gpa, size_t len)
{
	struct page *page = page_at(gpa);

	if (!page || len > PAGE_SIZE - offset_in_page(gpa))
		return NULL;
	return page->data + offset_in_page(gpa);
}

struct pvbus_ioc_vm_set_mem host_mem(void)
{
	struct pvbus_ioc_vm_set_mem mem = { .nr_regions = 2 };

	mem.region[0].hva = RAM_HVA;
	mem.region[0].size = RAM_LOW_PAGES * PAGE_SIZE;
	mem.region[1].gpa = RAM_HIGH;
	mem.region[1].hva = RAM_HVA + RAM_LOW_PAGES * PAGE_SIZE;
	mem.region[1].size = (RAM_PAGES - RAM_LOW_PAGES) * PAGE_SIZE;
	return mem;
}

void host_set_mem(void)
{
	struct pvbus_ioc_vm_set_mem args = host_mem();
	unsigned int i;

	vm.mem = calloc(1, sizeof(*vm.mem));
	vm.mem->nr = args.nr_regions;
	for (i = 0; i < vm.mem->nr; i++) {
		vm.mem->region[i].gpa = args.region[i].gpa;
		vm.mem->region[i].hva = args.region[i].hva;
		vm.mem->region[i].size = args.region[i].size;
	}
}

/*
 * The mapping is memory of its own, so that the sanitizer sees its ends. The
 * peer writes it as if it were the pages.
 */
void *vmap(struct page **pages, unsigned int nr, unsigned long flags, int prot)
{
	u8 *mem = aligned_alloc(PAGE_SIZE, nr * PAGE_SIZE);
	unsigned int i;

	for (i = 0; i < nr; i++) {
		must(pages[i] >= ram && pages[i] < ram + RAM_PAGES);
		must(pages[i]->pins > 0);
		memcpy(mem + i * PAGE_SIZE, pages[i]->data, PAGE_SIZE);
	}
	return mem;
}

void vunmap(const void *mem)
{
	free((void *)mem);
}

/* -- transport ----------------------------------------------------------------------- */

int pvh_qemu_pin(struct pvh_vm *v, struct pvh_pin_cache *cache, u64 hva,
		 struct page **page)
{
	u64 n = (hva - RAM_HVA) >> PAGE_SHIFT;

	must(PAGE_ALIGNED(hva));
	/* a table of QEMU's memory may name what is not mapped there */
	if (hva < RAM_HVA || n >= RAM_PAGES)
		return -EFAULT;
	if (scarce ? pins_left && ++pins_tried % pins_left :
		     pins_left && !--pins_left)
		return -ENOMEM;
	*page = &ram[n];
	ram[n].pins++;
	return 0;
}

static int op_pin(struct pvh_vm *v, struct pvh_pin_cache *cache, u64 gfn,
		  struct page **page)
{
	u64 hva;

	if (!v->mem || !pvh_mem_hva(v->mem, gfn << PAGE_SHIFT, PAGE_SIZE, &hva))
		return -EFAULT;
	return pvh_qemu_pin(v, cache, hva, page);
}

static void op_unpin(struct pvh_vm *v, struct page *page)
{
	must(page->pins > 0);
	page->pins--;
}

static void op_sleep(struct pvh_vm *v, struct pvh_pin_cache *cache)
{
}

static bool op_ram(struct pvh_vm *v, u64 gpa, u64 len)
{
	u64 hva;

	return v->mem && pvh_mem_hva(v->mem, gpa, len, &hva);
}

static void op_interrupt(struct pvh_vm *v, unsigned int vector)
{
	must(vector < v->nr_vectors);
	/* who is told of a new one takes all memory for his own */
	must(!v->generation || v->generation == told || !v->nr_channels);
	told = v->generation;
}

static const struct pvh_transport_ops transport = {
	.name		= "fuzz",
	.interrupt	= op_interrupt,
	.pin		= op_pin,
	.unpin		= op_unpin,
	.sleep		= op_sleep,
	.ram		= op_ram,
};

/* -- what waits for others ------------------------------------------------------------- */

void pvh_vm_event(struct pvh_vm *v)
{
}

void pvh_vm_put(struct pvh_vm *v)
{
	/* the last one is ours */
	must(v->ref.n > 1);
	v->ref.n--;
}

void pvh_vm_dev_gone(struct pvh_vm *v)
{
}

void pvh_doorbell_add(struct pvh_channel *ch)
{
	must(ch->vector < vm.vectors);
	ch->pins.wakeable = true;
}

void pvh_doorbell_del(struct pvh_channel *ch)
{
	ch->pins.wakeable = false;
}

int pvh_worker_start(struct pvh_channel *ch)
{
	return kernel_fail_at && !--kernel_fail_at ? -ENOMEM : 0;
}

void pvh_worker_end(struct pvh_channel *ch)
{
	ch->closing = true;
	kernel_queue(&drain_work, 0);
}

static void drain_one(struct pvh_channel *ch)
{
	pvh_pin_sleep(ch);
	if (ch->dev->ops->drain)
		ch->dev->ops->drain(ch);
	ch->drained = true;
	kernel_queue(&vm.ctl_work, 0);
}

/* A device with a channel that is not drained stays, whatever runs meanwhile. */
static void drain_all(struct work_struct *work)
{
	struct pvh_channel *ch;
	struct pvh_dev *dev;
	unsigned int i;

	list_for_each_entry(dev, &vm.devs, node) {
		for (i = 0; i < PVH_MAX_QUEUES; i++) {
			ch = dev->channel[i];
			if (ch && ch->closing && !ch->drained)
				drain_one(ch);
		}
	}
}

void pvh_worker_stop(struct pvh_channel *ch)
{
	must(ch->drained);
}

void pvh_worker_forget(struct pvh_channel *ch)
{
}

void pvh_channel_wake(struct pvh_channel *ch)
{
}

void pvh_channel_interrupt(struct pvh_channel *ch)
{
	if (pvring_prod_kick(&ch->tx))
		op_interrupt(&vm, ch->vector);
}

/* As in worker.c, without what is about time. */
void host_work(struct pvh_channel *ch)
{
	int done;

	if (ch->broken || ch->closing)
		return;
	turn_bytes = 0;
	done = ch->dev->ops->work(ch);
	must(done <= PVH_BUDGET + (int)ch->rx_slots);
	if (done < 0)
		ch->broken = -done;
	if (!done)
		pvh_pin_sleep(ch);
}

/* -- disks ----------------------------------------------------------------------------- */

static void check_io(const struct pvh_blk_req *req)
{
	const struct pvh_blk_cmd *cmd = &req->cmd;
	u64 nr = cmd->len / PVBUS_BLK_SECTOR;
	u32 i, sum = 0;

	must(req->busy);
	must(cmd->op == PVBUS_BLK_READ || !disk.limits.readonly ||
	     cmd->op == PVBUS_BLK_FLUSH);
	must(nr <= disk.limits.capacity &&
	     cmd->sector <= disk.limits.capacity - nr);
	for (i = 0; i < req->nr_vecs; i++) {
		const struct bio_vec *bv = &req->vec[i];

		must(bv->bv_page >= ram && bv->bv_page < ram + RAM_PAGES);
		must(bv->bv_page->pins > 0);
		must(bv->bv_len && bv->bv_offset + bv->bv_len <= PAGE_SIZE);
		sum += bv->bv_len;
	}
	must(!cmd->nr_segs || sum == cmd->len);
}

static void finish_one(struct pvh_blk_req *req)
{
	check_io(req);
	pvh_blk_req_done(req, fuzz_below(PVBUS_BLK_ST_COUNT));
}

static void submit(struct pvh_blk_req *req)
{
	check_io(req);
	/* others wait for the end of it: the last one may exceed that, no more */
	must(turn_bytes < PVH_BUDGET_BYTES);
	if (req->cmd.nr_segs)
		turn_bytes += req->cmd.len;
	if (nr_io < MAX_IO && fuzz_u8() & 1)
		io[nr_io++] = req;
	else
		finish_one(req);
}

void host_finish_io(void)
{
	unsigned int n = 1 + fuzz_u8();

	while (nr_io && n--)
		finish_one(io[--nr_io]);
}

static const struct pvh_blk_backing backing = {
	.name	= "fuzz",
	.submit	= submit,
	.slow	= finish_one,
};

static int disk_create(struct pvh_dev *dev, struct pvbus_ioc_dev *args)
{
	dev->priv = &disk;
	dev->features = PVBUS_BLK_F_ALL;
	dev->blob_len = sizeof(struct pvbus_blk_config);
	return 0;
}

static void disk_destroy(struct pvh_dev *dev)
{
}

static void disk_info(struct pvh_dev *dev, struct pvbus_ioc_dev *args)
{
}

/* It only grows: what was in flight before stays within it. */
static int disk_resize(struct pvh_dev *dev, u64 *capacity)
{
	lockdep_assert_held(&vm.lock);
	disk.limits.capacity += 8 * fuzz_u8();
	*capacity = disk.limits.capacity * PVBUS_BLK_SECTOR;
	pvh_dev_update(dev, dev->blob, dev->blob_len);
	return 0;
}

const struct pvh_dev_ops pvh_blk_ops = {
	.type		= PVBUS_TYPE_BLK,
	.name		= "disk",
	.create		= disk_create,
	.destroy	= disk_destroy,
	.info		= disk_info,
	.resize		= disk_resize,
	.open		= pvh_blk_open,
	.drain		= pvh_blk_drain,
	.close		= pvh_blk_close,
	.work		= pvh_blk_work,
	.pending	= pvh_blk_pending,
};

/* A type that takes rings of any size, and nothing from them. */
static int none_open(struct pvh_channel *ch)
{
	return kernel_fail_at == 1 ? -ENOMEM : 0;
}

static void none_close(struct pvh_channel *ch)
{
}

static int none_work(struct pvh_channel *ch)
{
	return 0;
}

const struct pvh_dev_ops pvh_net_ops = {
	.type		= PVBUS_TYPE_NET,
	.name		= "none",
	.create		= disk_create,
	.destroy	= disk_destroy,
	.info		= disk_info,
	.open		= none_open,
	.close		= none_close,
	.work		= none_work,
};

/* -- the VM ---------------------------------------------------------------------------- */

int host_add(const char *id, u16 type)
{
	struct pvbus_ioc_dev args = { .type = type, .fd = -1 };

	args.max_queues = fuzz_below(PVH_MAX_QUEUES + 2);
	strncpy((char *)args.id, id, sizeof(args.id) - 1);
	/* which chardev.c asks */
	if (!pvh_id_valid(args.id))
		return -EINVAL;
	return pvh_dev_add(&vm, &args);
}

static void make_disk(u8 how)
{
	disk = (struct pvh_blk){ .backing = &backing };
	disk.limits.capacity = 1 << 20;
	disk.limits.features = PVBUS_BLK_F_ALL;
	disk.limits.logical_block = how & 1 ? 4096 : 512;
	disk.limits.alignment = disk.limits.logical_block;
	disk.limits.max_bytes = PVH_BLK_MAX_BYTES;
	disk.limits.max_segments = PVBUS_BLK_MAX_SEGS;
	disk.limits.max_discard = PVH_BLK_MAX_DISCARD;
	disk.limits.readonly = how & 2;
}

/* Who waits for requests in flight gets them. */
static void finish_io_turn(void)
{
	if (nr_io)
		finish_one(io[--nr_io]);
}

void host_begin(void)
{
	u8 how = fuzz_u8();

	kernel_reset();
	memset(&vm, 0, sizeof(vm));
	memset(ram, 0, sizeof(ram));
	nr_io = 0;
	told = 0;
	memcpy(vm.name, "vm1", 3);
	INIT_LIST_HEAD(&vm.devs);
	INIT_LIST_HEAD(&vm.caches);
	INIT_WORK(&vm.ctl_work, pvh_ctl_work);
	INIT_WORK(&drain_work, drain_all);
	kref_init(&vm.ref);
	vm.nr_vectors = 8;
	vm.min_vectors = how >> 4 & 3;
	/* pages for lists of pages; pages themselves are not counted here */
	vm.pin_limit = how & 64 ? 4 : 1024;
	vm.transport = &transport;
	vm.state = PVBUS_VM_ATTACHED;
	/* memory of ours, and no guest of this kernel */
	vm.flags = PVBUS_VM_LOOPBACK;
	must(!pvh_window_map(&vm, 0));
	vm.flags = 0;
	peer_share(vm.win, PVBUS_WIN_SIZE);
	make_disk(how);
	kernel_turn = finish_io_turn;
	kernel_fail_at = how & 4 ? fuzz_u8() : 0;
	pins_left = how & 8 ? fuzz_u8() : 0;
	pins_tried = 0;
	scarce = how & 128;
	mutex_lock(&vm.lock);
	pvh_window_ready(&vm);
	mutex_unlock(&vm.lock);
}

void host_end(void)
{
	unsigned int i;

	peer_off();
	kernel_turn = finish_io_turn;
	mutex_lock(&vm.lock);
	vm.dead = true;
	pvh_window_down(&vm);
	pvh_dev_remove_all(&vm);
	mutex_unlock(&vm.lock);
	for (i = 0; i < PVH_MAX_DEVS && vm.nr_devs; i++)
		kernel_wait();
	must(!vm.nr_devs && list_empty(&vm.devs) && list_empty(&vm.caches));
	must(!vm.nr_channels && vm.ref.n == 1);
	pvh_window_unmap(&vm);
	kfree(vm.mem);
	for (i = 0; i < RAM_PAGES; i++)
		must(!ram[i].pins);
	must(!atomic64_read(&vm.pinned));
	must(!nr_io);
}
