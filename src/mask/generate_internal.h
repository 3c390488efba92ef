/*
 * generate_internal.h
 *	  What the files of the generator share: randomness, and what a row's
 *	  person is like.
 */
#ifndef GENSYNTH_GENERATE_INTERNAL_H
#define GENSYNTH_GENERATE_INTERNAL_H

#include "mask/dictionary.h"
#include "mask/generate.h"

/* Random bits are asked for by what they are for: the order is no matter. */
typedef enum GsTrait
{
	GS_TRAIT_SEX,
	GS_TRAIT_FIRST,
	GS_TRAIT_LAST,
	GS_TRAIT_PLACE,
	GS_TRAIT_BIRTH,
	GS_TRAIT_NEAR,				/* where in the city */
	GS_TRAIT_POSTCODE,
	GS_TRAIT_STREET,
	GS_TRAIT_PHONE,
	GS_TRAIT_MAIL,
	GS_TRAIT_COUNT,
	GS_TRAIT_KIND = 32,			/* + GsKindId: numbers and the like */
	GS_TRAIT_AGAIN = 128		/* * n: drawn again, for a shorter one */
} GsTrait;

/* A stream of random bits for one value. */
typedef struct GsFakeBits
{
	uint64_t	key;
	uint64_t	n;
} GsFakeBits;

/*
 * Writing text.  No sprintf: where libquadmath is loaded, as OpenBLAS has it,
 * it takes glibc's way for formats of others' making, ten times as long.
 * These return where what they have written ends, in a 0.
 */
extern char *gs_put(char *out, const char *text);
extern char *gs_put_char(char *out, char c);
extern char *gs_put_number(char *out, uint64_t number, int width);

extern uint64_t gs_fake_bits(const GsFake *fake, int trait);
extern uint32_t gs_fake_below(uint64_t bits, uint32_t n);
extern void gs_fake_stream(const GsFake *fake, int trait, GsFakeBits *bits);
extern uint32_t gs_fake_next(GsFakeBits *bits, uint32_t n);
extern int	gs_fake_fill(GsFakeBits *bits, const char *form, char *out);

extern int	gs_fake_locale(GsFake *fake);
extern GsSex gs_fake_sex(GsFake *fake);
extern int	gs_fake_birth(GsFake *fake);
extern void gs_fake_first(GsFake *fake, int again, GsFakeName *name);
extern void gs_fake_last(GsFake *fake, int again, GsFakeName *name);
extern void gs_fake_civil(int days, int *year, int *month, int *day);

/* One form of a value: form 0 is the usual one, later ones are shorter.  -1:
 * there is no such form. */
extern int	gs_fake_name(GsFake *fake, GsKindId kind, const GsFakeWant *want,
						 int form, char *out);
extern int	gs_fake_place(GsFake *fake, GsKindId kind, const GsFakeWant *want,
						  int form, char *out);
extern int	gs_fake_number(GsFake *fake, GsKindId kind, const GsFakeWant *want,
						   int form, char *out);
extern const char *gs_fake_listed(const GsFake *fake, GsKindId kind,
								  int locale, uint64_t bits);

#endif
