/*
 * pii.h
 *	  Finding personal values: what a column's name says, what its values say,
 *	  and both together.
 *
 * Plain C: no postgres.h.
 */
#ifndef GENSYNTH_PII_H
#define GENSYNTH_PII_H

#include <stdbool.h>
#include <stdint.h>

#include "mask/kinds.h"

typedef enum GsPiiLevel
{
	GS_PII_NOTHING,
	GS_PII_POSSIBLE,
	GS_PII_LIKELY,
	GS_PII_SURE
} GsPiiLevel;

/* What a name says: 0 nothing, 1 to 3 ever more surely; for each kind. */
typedef struct GsPiiName
{
	char		strength[GS_KIND_COUNT];
} GsPiiName;

/* Words of the lists (dictionary.h), by hashes. */
typedef struct GsPiiWords GsPiiWords;

/* What has been seen of a column's values. */
typedef struct GsPiiTally
{
	int64_t		values;			/* not NULL, not '' */
	int64_t		match[GS_KIND_COUNT];	/* that pass the kind's test */
	int64_t		first;			/* whose words are names, cities ... */
	int64_t		last;
	int64_t		full;
	int64_t		city;
	int64_t		state;
	int64_t		country;
	int64_t		street;			/* that hold a word for streets */
	int64_t		state_code;
	int64_t		capitals;		/* two, and nothing else */
	int64_t		separated;		/* with dashes, dots or slashes within */
	int64_t		words;			/* of all values together */
	int64_t		known;			/* values with a word of the lists */
	int64_t		locale[GS_LOCALE_COUNT];	/* names and cities that are its */
	uint64_t	sketch[4];		/* of distinct values */
} GsPiiTally;

/* What a type and the constraints on a column say. */
typedef struct GsPiiType
{
	bool		text;
	int			fits;			/* GS_FITS_*, of other types */
	bool		unique;
} GsPiiType;

typedef struct GsPiiVerdict
{
	const GsKind *kind;			/* NULL: nothing found */
	GsPiiLevel	level;
	double		confidence;		/* 0 to 1 */
	int			strength;		/* of the name */
	int64_t		share;			/* values that are of the kind ... */
	int64_t		values;			/* of these */
	const char *seen_as;		/* what was looked at: "check digits" */
	bool		together;		/* says who somebody is only beside others */
} GsPiiVerdict;

extern const char *const gs_pii_levels[];

extern void gs_pii_name(const char *name, int len, GsPiiName *says);
extern void gs_pii_name_also(const char *name, int len, GsPiiName *says);
extern bool gs_pii_is_person(const char *table, int len);
extern size_t gs_pii_words_size(void);
extern void gs_pii_words_fill(GsPiiWords *words);
extern void gs_pii_tally(GsPiiTally *tally, const GsPiiWords *words,
						 const char *text, int len);
extern void gs_pii_decide(const GsPiiName *name, const GsPiiTally *tally,
						  const GsPiiType *type, bool person,
						  GsPiiVerdict *verdict);
extern void gs_pii_raise(GsPiiVerdict *verdict);

#endif
