/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The block layer, as the guest's disks use it. A request is the fuzzer's, which
 * checks what becomes of it.
 */
#ifndef FUZZ_SHIM_BLOCK_H
#define FUZZ_SHIM_BLOCK_H

#define MAX_BVECS		8

typedef u8 blk_status_t;
enum {
	BLK_STS_OK,
	BLK_STS_NOTSUPP,
	BLK_STS_TIMEOUT,
	BLK_STS_NOSPC,
	BLK_STS_IOERR,
	BLK_STS_RESOURCE,
};

enum req_op {
	REQ_OP_READ,
	REQ_OP_WRITE,
	REQ_OP_FLUSH,
	REQ_OP_DISCARD,
	REQ_OP_WRITE_ZEROES,
	REQ_OP_OTHER,
};

#define REQ_FUA			0x100
#define REQ_NOUNMAP		0x200
#define RQF_DONTPREP		1

enum blk_eh_timer_return { BLK_EH_DONE, BLK_EH_RESET_TIMER };
enum { HCTX_TYPE_DEFAULT, HCTX_TYPE_READ, HCTX_TYPE_POLL, HCTX_MAX_TYPES };

struct request_queue {
	void	*queuedata;
};

struct gendisk {
	struct request_queue	*queue;
	struct device		*dev;
};

#define disk_to_dev(d)		((d)->dev)

struct blk_mq_hw_ctx {
	struct request_queue	*queue;
	unsigned int		queue_num;
};

/* A request; @with_driver: it was started and has not ended. */
struct request {
	int			tag;
	enum req_op		op;
	u32			cmd_flags;
	u32			rq_flags;
	u64			sector;
	unsigned int		timeout;
	struct request		*rq_next;
	struct request_queue	*q;
	struct blk_mq_hw_ctx	*mq_hctx;
	bool			with_driver;
	unsigned int		nr_bvecs;
	struct bio_vec		bvec[MAX_BVECS];
	u8			pdu[256] __aligned(8);
};

struct req_iterator { unsigned int i; };

#define req_op(rq)		((rq)->op)
#define blk_rq_pos(rq)		((rq)->sector)
#define blk_rq_nr_phys_segments(rq)	((rq)->nr_bvecs)
#define rq_dma_dir(rq)		DMA_BIDIRECTIONAL
#define rq_for_each_bvec(bv, rq, iter) \
	for ((iter).i = 0; (iter).i < (rq)->nr_bvecs && \
	     ((bv) = (rq)->bvec[(iter).i], 1); (iter).i++)
#define rq_for_each_segment(bv, rq, iter)	rq_for_each_bvec(bv, rq, iter)
#define folio			page
#define page_folio(p)		(p)
#define folio_test_slab(f)	((void)(f), false)
#define folio_try_get(f)	((f)->pins++, true)
#define blk_mq_rq_to_pdu(rq)	((void *)(rq)->pdu)
#define blk_mq_rq_from_pdu(p)	container_of((void *)(p), struct request, pdu)

static inline u32 blk_rq_bytes(const struct request *rq)
{
	u32 i, sum = 0;

	for (i = 0; i < rq->nr_bvecs; i++)
		sum += rq->bvec[i].bv_len;
	return sum;
}

struct blk_mq_queue_data {
	struct request	*rq;
	bool		last;
};

struct blk_mq_queue_map {
	unsigned int	*mq_map;
	unsigned int	nr_queues;
	unsigned int	queue_offset;
};

struct blk_mq_tag_set {
	void			*driver_data;
	struct blk_mq_queue_map	map[HCTX_MAX_TYPES];
};

#define for_each_possible_cpu(cpu)	for ((cpu) = 0; (cpu) < 4; (cpu)++)

/* lists of requests, as the older kernel has them */
typedef struct request *pvbus_rq_list_t;

static inline struct request *pvbus_rq_list_take(pvbus_rq_list_t *list)
{
	struct request *chain = *list;

	*list = NULL;
	return chain;
}

static inline void pvbus_rq_list_put(pvbus_rq_list_t *list, struct request *rq)
{
	rq->rq_next = *list;
	*list = rq;
}

struct io_comp_batch {
	struct request	*req_list;
};

#define DEFINE_IO_COMP_BATCH(name)	struct io_comp_batch name = {}
#define rq_list_for_each(list, rq) \
	for (rq = *(list); rq; rq = rq->rq_next)

struct blk_mq_ops {
	blk_status_t (*queue_rq)(struct blk_mq_hw_ctx *hctx,
				 const struct blk_mq_queue_data *bd);
	void (*queue_rqs)(pvbus_rq_list_t *list);
	void (*commit_rqs)(struct blk_mq_hw_ctx *hctx);
	void (*complete)(struct request *rq);
	enum blk_eh_timer_return (*timeout)(struct request *rq);
	int (*poll)(struct blk_mq_hw_ctx *hctx, struct io_comp_batch *iob);
	void (*map_queues)(struct blk_mq_tag_set *set);
};

/* by the fuzzer of disks */
void blk_mq_start_request(struct request *rq);
void blk_mq_complete_request(struct request *rq);
bool blk_mq_complete_request_remote(struct request *rq);
bool blk_mq_add_to_batch(struct request *rq, struct io_comp_batch *iob,
			 int error, void (*complete)(struct io_comp_batch *));
void blk_mq_end_request(struct request *rq, blk_status_t status);
void blk_mq_end_request_batch(struct io_comp_batch *iob);
void blk_mq_requeue_request(struct request *rq, bool kick);
#define blk_mq_delay_kick_requeue_list(q, ms)	do { } while (0)
#define pvbus_disable_write_zeroes(q)		((void)(q))

/* -- pools --------------------------------------------------------------------------- */

struct dma_pool {
	struct device	*dev;
	size_t		size;
};

static inline struct dma_pool *dma_pool_create(const char *name,
					       struct device *dev, size_t size,
					       size_t align, size_t boundary)
{
	struct dma_pool *pool = kernel_alloc(1, sizeof(*pool));

	if (pool) {
		pool->dev = dev;
		pool->size = size;
	}
	return pool;
}

#define dma_pool_alloc(p, gfp, dma) \
	dma_alloc_coherent((p)->dev, (p)->size, dma, gfp)
#define dma_pool_free(p, mem, dma) \
	dma_free_coherent((p)->dev, (p)->size, mem, dma)
#define dma_pool_destroy(p)	free(p)

/* A pool that has no reserve: it may always be empty. */
typedef struct {
	void	*(*alloc)(gfp_t gfp, void *data);
	void	(*free)(void *element, void *data);
	void	*data;
} mempool_t;

static inline mempool_t *mempool_create(int nr, void *(*alloc)(gfp_t, void *),
					void (*release)(void *, void *),
					void *data)
{
	mempool_t *pool = kernel_alloc(1, sizeof(*pool));

	if (pool) {
		pool->alloc = alloc;
		pool->free = release;
		pool->data = data;
	}
	return pool;
}

#define mempool_alloc(p, gfp)	((p)->alloc(gfp, (p)->data))
#define mempool_free(e, p)	((p)->free(e, (p)->data))
#define mempool_destroy(p)	free(p)

#endif /* FUZZ_SHIM_BLOCK_H */
