/*
 * stack.c
 *	  Room on the stack, asked for beforehand.
 *
 * The stack of a process grows as it is used, and where there is no memory for
 * that, the process is killed: nobody is there to be told.  So it is made to
 * grow while it is known that there is memory.  It never shrinks.
 *
 * Plain C: no postgres.h.
 */
#include <sys/mman.h>
#include <sys/resource.h>

#include "stack.h"

/* Of what the limit counts, arguments and environment of the process. */
#define ARGUMENTS	((size_t) 256 << 10)

/*
 * Takes so much stack, from its near end to its far one.
 */
static __attribute__((noinline)) void
use_stack(void)
{
	char		room[GS_STACK_BYTES];
	volatile char *byte = room;

	for (size_t i = GS_STACK_BYTES; i > 0; i -= 1024)
		byte[i - 1] = 0;
}

/*
 * gs_stack_prepare
 *
 * Sees to it that the stack of the caller, the process's first thread, has
 * GS_STACK_BYTES: looks whether the limit of its size leaves them, maps as much
 * to see whether there is the memory and the address space, and, as nobody else
 * takes it in between, lets the stack have it.  Returns false if there is not.
 *
 * used: bytes of stack that are in use
 */
bool
gs_stack_prepare(size_t used)
{
	/* a page or two beside the room itself */
	size_t		size = GS_STACK_BYTES + (64 << 10);
	struct rlimit limit;
	void	   *probe;

	if (getrlimit(RLIMIT_STACK, &limit) == 0 &&
		limit.rlim_cur != RLIM_INFINITY &&
		limit.rlim_cur < used + size + ARGUMENTS)
		return false;
	probe = mmap(NULL, size, PROT_READ | PROT_WRITE,
				 MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (probe == MAP_FAILED)
		return false;
	munmap(probe, size);
	use_stack();
	return true;
}
