// SPDX-License-Identifier: GPL-2.0
/*
 * pvblk: tables of segments, for requests that have more than fit their slot.
 * Each queue has its own, so that no two queues wait for the same lock.
 */
#include <linux/dma-mapping.h>
#include <linux/kmemleak.h>
#include <linux/slab.h>

#include "blk.h"

static void *pvblk_table_alloc(gfp_t gfp, void *data)
{
	struct pvblk_table *table = kmalloc(sizeof(*table), gfp);
	struct pvblk_queue *q = data;

	if (!table)
		return NULL;
	table->wire = dma_pool_alloc(q->dma_pool, gfp, &table->wire_dma);
	if (!table->wire) {
		kfree(table);
		return NULL;
	}
	return table;
}

static void pvblk_table_free(void *element, void *data)
{
	struct pvblk_table *table = element;
	struct pvblk_queue *q = data;

	dma_pool_free(q->dma_pool, table->wire, table->wire_dma);
	kfree(table);
}

/**
 * pvblk_get_table() - a table for a request
 * @q: its queue
 *
 * Context: any
 * Return: the table, or NULL: there will be one when another request ends.
 */
struct pvblk_table *pvblk_get_table(struct pvblk_queue *q)
{
	return mempool_alloc(q->tables, GFP_ATOMIC);
}

/**
 * pvblk_put_table() - give a table back
 * @q: the queue that it came from
 * @table: table, or NULL
 *
 * Context: any
 */
void pvblk_put_table(struct pvblk_queue *q, struct pvblk_table *table)
{
	if (table)
		mempool_free(table, q->tables);
}

static int pvblk_init_queue_tables(struct pvblk_queue *q)
{
	q->dma_pool = dma_pool_create("pvblk", q->blk->dma_dev,
				      PVBUS_BLK_MAX_SEGS *
				      sizeof(struct pvbus_blk_seg),
				      PVBUS_PAGE_SIZE, 0);
	if (!q->dma_pool)
		return -ENOMEM;
	q->tables = mempool_create(1, pvblk_table_alloc, pvblk_table_free, q);
	return q->tables ? 0 : -ENOMEM;
}

/**
 * pvblk_init_tables() - set up the memory for tables of segments
 * @blk: disk
 *
 * Return: 0 or -ENOMEM
 */
int pvblk_init_tables(struct pvblk *blk)
{
	unsigned int i;
	int err;

	for (i = 0; i < blk->nr_queues; i++) {
		err = pvblk_init_queue_tables(&blk->queue[i]);
		if (err) {
			pvblk_free_tables(blk);
			return err;
		}
	}
	return 0;
}

/**
 * pvblk_free_tables() - free the memory for tables of segments
 * @blk: disk, without requests; not all of its queues may have been set up
 *
 * A pool of which the host may still hold pages stays for ever.
 */
void pvblk_free_tables(struct pvblk *blk)
{
	unsigned int i;

	for (i = 0; i < blk->nr_queues; i++) {
		mempool_destroy(blk->queue[i].tables);
		if (blk->kept)
			kmemleak_not_leak(blk->queue[i].dma_pool);
		else
			dma_pool_destroy(blk->queue[i].dma_pool);
	}
}
