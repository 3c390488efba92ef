/*
 * pool.h
 *	  A few threads that do the tasks of a parallel loop.
 *
 * Threads have all signals blocked and touch nothing of PostgreSQL's.  In the
 * tasks of a pool, tiny (subnormal) floats count as zero, in whatever thread:
 * they slow arithmetic down by a hundred times.
 *
 * Plain C: no postgres.h.
 */
#ifndef GENSYNTH_POOL_H
#define GENSYNTH_POOL_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

typedef struct GsPool GsPool;

typedef void (*GsTask) (void *arg, int task);

/*
 * The thread that calls gs_pool_run() works too: "threads" counts it.  Fewer
 * are started if the system refuses.  NULL: no memory.
 */
extern GsPool *gs_pool_start(int threads);
/* how many threads work, the caller's included */
extern int	gs_pool_threads(const GsPool *pool);
/* calls task(arg, 0 .. ntasks - 1), in any order, and waits for all */
extern void gs_pool_run(GsPool *pool, int ntasks, GsTask task, void *arg);
extern void gs_pool_end(GsPool *pool);
/* what tasks are run with, for others: see pool.c */
extern uint64_t gs_flush_subnormals(bool flush, uint64_t before);
/*
 * A thread with all signals blocked, such as one that trains while the backend
 * polls for interrupts.  To be joined.
 */
extern bool gs_thread_start(pthread_t *thread, void *(*function) (void *),
							void *arg);

#endif
