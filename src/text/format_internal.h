/*
 * format_internal.h
 *	  The flat form of a format, in memory as at rest, and what its files share.
 *
 * A format is a few arrays of 32-bit words (texts, slots, nodes, distribution
 * starts, items, filter) and bytes.  Everything that is drawn from is a
 * distribution: a run of items with cumulative shares, a share of 1 being
 * FORMAT_ALL.  Where the last item's share is less, the remainder means
 * "something else": a novel token, a shorter letter context, prose.
 *
 * Every distribution belongs to one owner and children come after their
 * parents, so that a loader checks a format in one linear pass.
 */
#ifndef GENSYNTH_FORMAT_INTERNAL_H
#define GENSYNTH_FORMAT_INTERNAL_H

#include "text/check_digit.h"
#include "text/document.h"
#include "text/slots.h"

#define FORMAT_NONE		PG_UINT32_MAX	/* no index */
#define FORMAT_ALL		PG_UINT32_MAX	/* the cumulative share 1 */

#define FORMAT_TRIES			32	/* redraws before all slots are novel */
#define FORMAT_MAX_TOKENS	64		/* of a template */
#define FORMAT_MAX_TEMPLATES 256
#define FORMAT_MAX_WORD		1024	/* characters of one word */
#define FORMAT_MAX_LENGTH	65536	/* bytes of one text */
#define FORMAT_MAX_SYMBOLS	1000	/* letters of one text's alphabet */
#define FORMAT_MAX_VERBATIM	1024	/* bytes of one verbatim token */
#define FORMAT_MAX_DEPTH		32
#define FORMAT_MAX_NODES		4096
#define FORMAT_MAX_ELEMENTS	4096	/* of one JSON array */
#define FORMAT_MAX_SCALE		15	/* decimals of a JSON number */
#define FORMAT_BUDGET		(192 * 1024)	/* bytes of a model, about */

/*
 * Token classes are single bytes, so that a template is a string of them.
 * Zero is the start and the end; any other ASCII character stands for itself
 * (never a letter, which leaves the letters for other use).
 */
#define CLASS_WORD		'a'
#define CLASS_NAME		'A'			/* in prose, a word of upper case */
#define CLASS_SENTENCE	'S'			/* in prose, the space between sentences */
#define CLASS_DIGITS	128			/* + length 1..64 */
#define MAX_DIGITS		64
#define CLASS_CODE		192			/* + length 1..63: letters and digits */
#define MAX_CODE		63

#define CLASS_IS_WORD(c)	((c) == CLASS_WORD || (c) == CLASS_NAME)
#define CLASS_IS_SLOT(c)	(CLASS_IS_WORD(c) || (c) > CLASS_DIGITS)
#define CLASS_LENGTH(c)		((c) > CLASS_CODE ? (c) - CLASS_CODE : \
							 (c) - CLASS_DIGITS)

typedef struct FormatHeader
{
	uint32		encoding;		/* server encoding of the bytes */
	uint32		root;			/* FormatRoot */
	uint32		max_chars;		/* 0 = no limit */
	uint32		tries;			/* of a JSON document */
	uint32		salt[2];		/* low, high */
	uint32		ntexts;
	uint32		nslots;
	uint32		nnodes;
	uint32		ndists;
	uint32		nitems;
	uint32		nfilter;		/* words */
	uint32		nbytes;
} FormatHeader;

/*
 * What a and b are depends on the distribution:
 *	vocabulary	offset and length in the bytes
 *	lengths		a = length
 *	characters	a = ASCII character
 *	templates	a = offset of a NUL-ended class string, b = its first slot
 *	chain		a = next state, 0 = end, else 1 + index of a prose slot
 *	alphabet	lower and upper form, each 1-4 bytes packed low byte first
 *	letters		a = symbol, b = distribution after (previous, a) or none
 *	types		a = JsonType
 *	keys		a = offset of a NUL-ended key, b = node; cum is its presence
 *	sets		offset and length in the bytes
 *	numbers		a, b = low and high half of a double
 */
typedef struct FormatItem
{
	uint32		cum;
	uint32		a;
	uint32		b;
} FormatItem;

/* A place of a template that varies. */
typedef struct FormatSlot
{
	uint32		class;
	uint32		vocabulary;		/* distribution of tokens kept verbatim */
	uint32		rest;			/* novel tokens: lengths of words, or the first
								 * of one distribution per position; may be
								 * none where the vocabulary is everything */
	uint32		lower;			/* cumulative shares of the case formats: */
	uint32		capital;		/* lower, Capitalised; the rest is UPPER */
} FormatSlot;

/* A model of strings. */
typedef struct FormatText
{
	uint32		tries;
	uint32		templates;		/* what remains is prose */
	uint32		alphabet;		/* distribution of symbols; symbol 0 is the
								 * word boundary.  nsymbols distributions of
								 * what follows a symbol come next, then
								 * npairs of what follows two */
	uint32		nsymbols;
	uint32		npairs;
	uint32		lengths;		/* bytes of a prose text */
	uint32		prose;			/* first prose slot */
	uint32		nprose;			/* 0 = no prose, but random letters */
	uint32		chain;			/* first of 1 + nprose distributions of what
								 * follows the start and each prose slot */
	uint32		check;			/* GsCheckDigit */
} FormatText;

/* How far a drawn string may be from those of the source. */
typedef enum FormatNovelty
{
	FORMAT_KNOWN,				/* tokens as often as they come */
	FORMAT_MIXED,				/* words of other places, any digits */
	FORMAT_LONGER,				/* where words have a number, one more digit */
	FORMAT_SPELT				/* only tokens that are spelt anew, if any */
} FormatNovelty;

/* A token of a text. */
typedef struct FormatToken
{
	uint8		class;
	int			start;
	int			len;
} FormatToken;

/* What is known of a text that is to be drawn. */
typedef struct FormatKnown
{
	const FormatItem *template; /* NULL: prose */
	const GsToken *token;		/* of each slot of the template; or NULL */
} FormatKnown;

/* A JSON value; what the node's types do not need is none. */
typedef struct FormatNode
{
	uint32		types;
	uint32		truth;			/* share of true */
	uint32		atoms;			/* numbers kept exactly; the rest from knots */
	uint32		knots;			/* equally spaced quantiles */
	uint32		scale;			/* decimals */
	uint32		fixed;			/* 1 = print all of them */
	uint32		strings;		/* kept verbatim; the rest from text */
	uint32		text;
	uint32		lengths;		/* of arrays */
	uint32		element;
	uint32		keys;
	uint32		sets;			/* keys that stand together: format_sets.c */
} FormatNode;

struct GsFormat
{
	FormatHeader head;
	FormatText  *texts;
	FormatSlot  *slots;
	FormatNode  *nodes;
	uint32	   *dists;			/* ndists + 1 starts in items */
	FormatItem  *items;
	uint32	   *filter;
	char	   *bytes;
};

/* A growing array, and the format being built out of several. */
typedef struct FormatVec
{
	MemoryContext context;
	char	   *data;
	uint32		n;
	uint32		room;			/* elements allocated */
	uint32		width;
} FormatVec;

typedef struct FormatBuilder
{
	int			threshold;
	uint64		salt;
	FormatVec	texts;
	FormatVec	slots;
	FormatVec	nodes;
	FormatVec	dists;
	FormatVec	items;
	FormatVec	bytes;
	FormatVec	rare;			/* uint64 hashes for the filter */
} FormatBuilder;

/* One alternative of a distribution that is being made. */
typedef struct FormatShare
{
	double		weight;
	uint32		a;
	uint32		b;
} FormatShare;

/* Of something sorted, which row holds it, and how many are like that one. */
typedef struct FormatHolder
{
	uint32		row;
	int64		rows;
} FormatHolder;

/* A key of an object, while sets of them are learned. */
typedef struct FormatKey
{
	uint32		object;
	uint32		node;
	int			row;
	int64		rows;			/* like that one */
} FormatKey;

/* How many rows hold a token in a place, or a letter sequence. */
typedef struct TallyKey
{
	const char *text;
	uint32		len;
	uint32		position;
} TallyKey;

typedef struct TallyEntry
{
	TallyKey	key;
	int64		rows;			/* distinct rows */
	int64		weight;			/* occurrences */
	uint32		hash;
	int32		last;			/* source counted last */
	double		share;			/* see share_rows() */
	uint32		id;				/* the caller's */
	char		status;
} TallyEntry;

typedef struct tally_hash Tally;

/* format.c */
extern void *gs_format_push(FormatVec *vec, uint32 count);
extern uint32 gs_format_begin(FormatBuilder *b);
extern void gs_format_item(FormatBuilder *b, uint32 cum, uint32 a, uint32 c);
extern uint32 gs_format_shares(FormatBuilder *b, const FormatShare *shares,
							   int n, double total);
extern int	gs_format_end(const FormatHolder *holders, int n, bool last,
						  int threshold);
extern uint32 gs_format_lengths(FormatBuilder *b, FormatShare *lengths, int n);
extern uint32 gs_format_bytes(FormatBuilder *b, const char *text, int len);
extern Size gs_format_used(const FormatBuilder *b);
extern int	gs_format_stride(const FormatValue *values, int n,
							 uint64 max_bytes);

/* format_tally.c */
extern Tally *gs_tally_create(void);
extern TallyEntry *gs_tally_add(Tally *tally, uint32 position,
								const char *text,
								int len, bool copy, int32 source, int64 rows);
extern TallyEntry *gs_tally_find(Tally *tally, uint32 position,
								 const char *text,
								 int len);
extern int	gs_tally_by_last(const void *pa, const void *pb);
extern TallyEntry **gs_tally_sorted(Tally *tally, int *n);

/* format_text.c, format_letters.c, format_json.c */
extern uint32 gs_format_learn_text(FormatBuilder *b, const FormatValue *values,
								   int n, Size budget);
extern void gs_format_learn_letters(FormatBuilder *b, TallyEntry **words,
									int nwords, int max_items,
									FormatText *text);
extern int	gs_format_classify(const char *text, int len, FormatToken *token);
extern char *gs_format_fold(const char *text, int len, bool upper,
							int *folded_len);
extern void gs_format_learn_json(FormatBuilder *b, const FormatValue *values,
								 int n);

/* format_draw.c */
extern void gs_format_draw_once(const GsFormat *format, const FormatText *text,
								const FormatKnown *known, GsRandom *random,
								FormatNovelty novelty, StringInfo out);
extern void gs_format_draw_text(const GsFormat *format, const FormatText *text,
								const FormatKnown *known, GsRandom *random,
								StringInfo out);

/* format_sets.c */
extern uint32 gs_format_learn_sets(FormatBuilder *b, FormatKey *keys, Size n,
								   double objects);

/* format_layout.c */
extern JsonType gs_format_next_type(const char **at, int *length);
extern bool gs_format_next_member(const GsFormat *format, uint32 node,
								  const char **at, uint32 *item);

static inline uint64
format_salt(const FormatHeader *head)
{
	return (uint64) head->salt[1] << 32 | head->salt[0];
}

static inline double
format_number(const FormatItem *item)
{
	uint64		bits = (uint64) item->b << 32 | item->a;
	double		number;

	memcpy(&number, &bits, sizeof(number));
	return number;
}

/* The first item whose cumulative share reaches u; NULL: something else. */
static inline const FormatItem *
format_pick(const GsFormat *format, uint32 dist, uint32 u)
{
	const FormatItem *item = format->items + format->dists[dist];
	uint32		n = format->dists[dist + 1] - format->dists[dist];

	if (n == 0)
		return NULL;
	while (n > 1)
	{
		uint32		half = n / 2;

		item += item[half - 1].cum < u ? half : 0;
		n -= half;
	}
	return item->cum >= u ? item : NULL;
}

#endif
