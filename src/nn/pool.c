/*
 * pool.c
 *	  A few threads that do the tasks of a parallel loop.
 *
 * Plain C: no postgres.h.
 */
#include <signal.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>
#if defined(__SSE2__)
#include <emmintrin.h>
#endif

#include "numeric/stack.h"
#include "pool.h"

/* A thread's stack, with what the library of threads keeps there. */
#define THREAD_STACK	(GS_STACK_BYTES + ((size_t) 512 << 10))

struct GsPool
{
	pthread_mutex_t lock;
	pthread_cond_t begun;		/* loops has changed */
	pthread_cond_t done;		/* busy has become 0 */
	unsigned	loops;			/* loops begun so far */
	int			busy;			/* threads that have not left this loop */
	bool		end;
	GsTask		task;
	void	   *arg;
	int			ntasks;
	atomic_int	next;			/* task to be taken next */
	int			nthreads;		/* beside the caller's */
	pthread_t	thread[];
};

/*
 * gs_flush_subnormals
 *
 * Makes subnormal numbers count as zero in this thread, or restores what
 * "before" says.  Returns what was so far.
 */
uint64_t
gs_flush_subnormals(bool flush, uint64_t before)
{
#if defined(__SSE2__)
	uint64_t	now = _mm_getcsr();

	/* flush to zero, denormals are zero */
	_mm_setcsr((unsigned) (flush ? now | 0x8040 : before));
	return now;
#elif defined(__aarch64__)
	uint64_t	now;

	__asm__ volatile("mrs %0, fpcr":"=r"(now));

	__asm__ volatile("msr fpcr, %0"::"r"(flush ? now | UINT64_C(1) << 24 :
										 before));

	return now;
#else
	return 0;
#endif
}

/*
 * Takes tasks of the current loop until there are none.
 */
static void
work(GsPool *pool)
{
	uint64_t	before = gs_flush_subnormals(true, 0);
	int			task;

	while ((task = atomic_fetch_add(&pool->next, 1)) < pool->ntasks)
		pool->task(pool->arg, task);
	gs_flush_subnormals(false, before);
}

static void *
run_thread(void *arg)
{
	GsPool	   *pool = arg;
	unsigned	seen = 0;

	pthread_mutex_lock(&pool->lock);
	for (;;)
	{
		while (pool->loops == seen && !pool->end)
			pthread_cond_wait(&pool->begun, &pool->lock);
		if (pool->end)
			break;
		seen = pool->loops;
		pthread_mutex_unlock(&pool->lock);
		work(pool);
		pthread_mutex_lock(&pool->lock);
		if (--pool->busy == 0)
			pthread_cond_signal(&pool->done);
	}
	pthread_mutex_unlock(&pool->lock);
	return NULL;
}

/*
 * gs_thread_start
 *
 * Starts function(arg) in a thread that has all signals blocked, to be ended
 * by pthread_join.  Its stack is as large as need be, whatever the system's
 * standard: where address space is scarce, that may be too much.  Returns
 * false if the system refuses.
 */
bool
gs_thread_start(pthread_t *thread, void *(*function) (void *), void *arg)
{
	pthread_attr_t attr;
	sigset_t	all;
	sigset_t	before;
	bool		started;

	if (pthread_attr_init(&attr) != 0)
		return false;
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	started = pthread_attr_setstacksize(&attr, THREAD_STACK) == 0 &&
		pthread_create(thread, &attr, function, arg) == 0;
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	pthread_attr_destroy(&attr);
	return started;
}

/*
 * gs_pool_start
 *
 * A pool in which "threads" threads work, that of the caller of gs_pool_run
 * included; fewer if the system refuses to start them.  Returns NULL if
 * memory is out.
 */
GsPool *
gs_pool_start(int threads)
{
	int			others = threads > 1 ? threads - 1 : 0;
	GsPool	   *pool = calloc(1, sizeof(GsPool) +
							  sizeof(pthread_t) * (size_t) others);

	if (pool == NULL)
		return NULL;
	pthread_mutex_init(&pool->lock, NULL);
	pthread_cond_init(&pool->begun, NULL);
	pthread_cond_init(&pool->done, NULL);
	while (pool->nthreads < others &&
		   gs_thread_start(&pool->thread[pool->nthreads], run_thread, pool))
		pool->nthreads++;
	return pool;
}

/*
 * gs_pool_threads
 *
 * How many tasks may run at a time, at least 1.
 */
int
gs_pool_threads(const GsPool *pool)
{
	return 1 + pool->nthreads;
}

/*
 * gs_pool_run
 *
 * Calls task(arg, i) once for each i below ntasks, in any order and any of the
 * pool's threads, and returns when all have returned.  For one caller at a
 * time.
 */
void
gs_pool_run(GsPool *pool, int ntasks, GsTask task, void *arg)
{
	pthread_mutex_lock(&pool->lock);
	pool->task = task;
	pool->arg = arg;
	pool->ntasks = ntasks;
	atomic_store(&pool->next, 0);
	pool->busy = pool->nthreads;
	pool->loops++;
	pthread_cond_broadcast(&pool->begun);
	pthread_mutex_unlock(&pool->lock);
	work(pool);
	pthread_mutex_lock(&pool->lock);
	while (pool->busy > 0)
		pthread_cond_wait(&pool->done, &pool->lock);
	pthread_mutex_unlock(&pool->lock);
}

/*
 * gs_pool_end
 *
 * Ends the threads and frees the pool; NULL does nothing.
 */
void
gs_pool_end(GsPool *pool)
{
	if (pool == NULL)
		return;
	pthread_mutex_lock(&pool->lock);
	pool->end = true;
	pthread_cond_broadcast(&pool->begun);
	pthread_mutex_unlock(&pool->lock);
	for (int i = 0; i < pool->nthreads; i++)
		pthread_join(pool->thread[i], NULL);
	pthread_cond_destroy(&pool->begun);
	pthread_cond_destroy(&pool->done);
	pthread_mutex_destroy(&pool->lock);
	free(pool);
}
