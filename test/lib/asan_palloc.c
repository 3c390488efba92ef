/*
 * asan_palloc.c
 *	  Red zones for what the extension takes from palloc, for AddressSanitizer.
 *
 * A memory context takes large blocks from malloc, and within a block ASan
 * sees nothing.  Linked with -Wl,--wrap=palloc and so on (fuzz_asan.sh), calls
 * from the extension come here: each chunk is followed by 32 bytes that its
 * code must not touch.  The server's own calls do not, and its code is not
 * instrumented; so ASan is run with replace_intrin=0, and what memcpy and the
 * like touch is checked here, for the extension alone.
 */
#include "postgres.h"

#include "utils/memutils.h"

#include <sanitizer/asan_interface.h>

#define ZONE	32
#define BUCKETS 65536

typedef struct Chunk
{
	char	   *at;
	Size		size;
	struct Home *home;
	struct Chunk *next;			/* of its bucket */
	struct Chunk *before;		/* of its context */
	struct Chunk *after;
} Chunk;

/* What a context holds, until it is reset. */
typedef struct Home
{
	MemoryContext context;
	MemoryContextCallback callback;
	Chunk	   *chunks;
	struct Home *next;
} Home;

static Chunk *buckets[BUCKETS];
static Chunk *spare;			/* ASan's own malloc takes its time */
static Home *homes[BUCKETS];

static Chunk **
bucket_of(const void *at)
{
	return &buckets[((uintptr_t) at / 8) % BUCKETS];
}

static void
forget(Chunk *chunk)
{
	Chunk	  **fk = bucket_of(chunk->at);

	while (*fk != chunk)
		fk = &(*fk)->next;
	*fk = chunk->next;
	if (chunk->before)
		chunk->before->after = chunk->after;
	else
		chunk->home->chunks = chunk->after;
	if (chunk->after)
		chunk->after->before = chunk->before;
	__asan_unpoison_memory_region(chunk->at + chunk->size, ZONE);
	chunk->next = spare;
	spare = chunk;
}

static Chunk *
new_chunk(void)
{
	Chunk	   *chunk = spare;

	if (!chunk)
	{
		spare = calloc(4096, sizeof(Chunk));
		for (int i = 0; i < 4095; i++)
			spare[i].next = &spare[i + 1];
		chunk = spare;
	}
	spare = chunk->next;
	memset(chunk, 0, sizeof(Chunk));
	return chunk;
}

/* Where the server freed a chunk of ours, its place may be had again. */
static void
forget_at(const void *at)
{
	for (Chunk *chunk = *bucket_of(at); chunk; chunk = chunk->next)
		if (chunk->at == at)
		{
			forget(chunk);
			return;
		}
}

static void
context_is_reset(void *arg)
{
	Home	   *home = arg;
	Home	  **fk = &homes[((uintptr_t) home->context / 8) % BUCKETS];

	while (home->chunks)
		forget(home->chunks);
	while (*fk != home)
		fk = &(*fk)->next;
	*fk = home->next;
	free(home);
}

static Home *
home_of(MemoryContext context)
{
	Home	  **first = &homes[((uintptr_t) context / 8) % BUCKETS];
	Home	   *home = *first;

	while (home && home->context != context)
		home = home->next;
	if (!home)
	{
		home = calloc(1, sizeof(Home));
		home->context = context;
		home->callback.func = context_is_reset;
		home->callback.arg = home;
		MemoryContextRegisterResetCallback(context, &home->callback);
		home->next = *first;
		*first = home;
	}
	return home;
}

static void *
fence(MemoryContext context, void *at, Size size)
{
	Chunk	   *chunk;
	Home	   *home = home_of(context);

	if (!at)
		return NULL;
	forget_at(at);
	chunk = new_chunk();
	chunk->at = at;
	chunk->size = size;
	chunk->home = home;
	chunk->next = *bucket_of(at);
	*bucket_of(at) = chunk;
	chunk->after = home->chunks;
	if (home->chunks)
		home->chunks->before = chunk;
	home->chunks = chunk;
	__asan_unpoison_memory_region(at, size);
	__asan_poison_memory_region((char *) at + size, ZONE);
	return at;
}

extern void *__real_MemoryContextAllocExtended(MemoryContext, Size, int);
extern void *__real_repalloc(void *, Size);
extern void *__real_repalloc_huge(void *, Size);
extern void __real_pfree(void *);

/* A size that is refused must be refused as it was asked for. */
static void *
allocate(MemoryContext context, Size size, int flags)
{
	Size		max =
		flags & MCXT_ALLOC_HUGE ? MaxAllocHugeSize : MaxAllocSize;

	if (size > max - ZONE)
		return __real_MemoryContextAllocExtended(context, size, flags);
	return fence(context, __real_MemoryContextAllocExtended(context,
															size + ZONE,
															flags), size);
}

void *
__wrap_palloc(Size size)
{
	return allocate(CurrentMemoryContext, size, 0);
}

void *
__wrap_palloc0(Size size)
{
	return allocate(CurrentMemoryContext, size, MCXT_ALLOC_ZERO);
}

void *
__wrap_palloc_extended(Size size, int flags)
{
	return allocate(CurrentMemoryContext, size, flags);
}

void *
__wrap_MemoryContextAlloc(MemoryContext context, Size size)
{
	return allocate(context, size, 0);
}

void *
__wrap_MemoryContextAllocZero(MemoryContext context, Size size)
{
	return allocate(context, size, MCXT_ALLOC_ZERO);
}

void *
__wrap_MemoryContextAllocHuge(MemoryContext context, Size size)
{
	return allocate(context, size, MCXT_ALLOC_HUGE);
}

void *
__wrap_MemoryContextAllocExtended(MemoryContext context, Size size, int flags)
{
	return allocate(context, size, flags);
}

static void *
reallocate(void *at, Size size, bool huge)
{
	MemoryContext context = GetMemoryChunkContext(at);

	forget_at(at);
	at = huge ? __real_repalloc_huge(at, size + ZONE) :
		__real_repalloc(at, size + ZONE);
	return fence(context, at, size);
}

void *
__wrap_repalloc(void *at, Size size)
{
	return reallocate(at, size, false);
}

void *
__wrap_repalloc_huge(void *at, Size size)
{
	return reallocate(at, size, true);
}

void
__wrap_pfree(void *at)
{
	forget_at(at);
	__real_pfree(at);
}

extern void __asan_load1(const void *);

/* This file is not instrumented: what is poisoned is told of by hand. */
static void
touch(const void *at, Size size)
{
	const void *bad = size ? __asan_region_is_poisoned((void *) at, size) : NULL;

	if (bad)
		__asan_load1(bad);
}

extern void *__real_memcpy(void *, const void *, size_t);
extern void *__real_memmove(void *, const void *, size_t);
extern void *__real_memset(void *, int, size_t);
extern int	__real_memcmp(const void *, const void *, size_t);

void *
__wrap_memcpy(void *to, const void *from, size_t size)
{
	touch(to, size);
	touch(from, size);
	return __real_memcpy(to, from, size);
}

void *
__wrap_memmove(void *to, const void *from, size_t size)
{
	touch(to, size);
	touch(from, size);
	return __real_memmove(to, from, size);
}

void *
__wrap_memset(void *to, int byte, size_t size)
{
	touch(to, size);
	return __real_memset(to, byte, size);
}

int
__wrap_memcmp(const void *a, const void *b, size_t size)
{
	touch(a, size);
	touch(b, size);
	return __real_memcmp(a, b, size);
}
