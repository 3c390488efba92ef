/*
 * format_text.c
 *	  Learning the formats of strings.
 *
 * A value is cut into tokens: words (runs of letters, any multibyte character
 * being one), digit runs, single other characters.  Where letters and digits
 * alternate within a run (hashes, UUIDs, licence keys) the runs are taken
 * whole, as codes.  The sequence of token classes is the value's template.
 * Templates that enough rows share are kept, each with a slot for every word,
 * digit run and code; other values are prose: a Markov chain of token classes
 * with one slot a class.
 */
#include "postgres.h"

#include "mb/pg_wchar.h"
#include "miscadmin.h"
#include "utils/memutils.h"

#include "text/format_internal.h"

#define LEARN_BYTES			(32 * 1024 * 1024)
#define MIN_BUDGET		2048
#define MAX_WORD_BYTES		1000
#define VOCABULARY_SHARE	0.90	/* of a place's words that stand for all */
#define SLOT_VOCABULARY		1000
#define PROSE_VOCABULARY	4000
#define DIGITS_SHARE		0.01	/* of a template's rows, to keep digits */
#define CODE_SWITCHES		3	/* between letters and digits in a run */

/* Places of the tally, besides the slots of templates from 0. */
#define PLACE_PROSE			0x10000000	/* + class */
#define PLACE_CHAIN			0x20000000
#define PLACE_WORDS			0x30000000

static inline bool
is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static inline bool
is_letter(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
		IS_HIGHBIT_SET(c);
}

static inline bool
is_code(char c)
{
	return !IS_HIGHBIT_SET(c) && (is_digit(c) || is_letter(c));
}

/*
 * Prose tells words that begin upper case, and the spaces that they follow,
 * from others, so that sentences begin as they do.
 */
static uint8
prose_class(uint8 class, const char *token, const char *start)
{
	if (class == CLASS_WORD && *token >= 'A' && *token <= 'Z')
		return CLASS_NAME;
	if (class == ' ' && token > start && strchr(".!?", token[-1]) != NULL)
		return CLASS_SENTENCE;
	return class;
}

/* The end of the token at p, which is before end, and its class. */
static const char *
next_token(const char *p, const char *end, bool code, int encoding,
		   uint8 *class)
{
	const char *start = p;

	if (code && is_code(*p))
	{
		while (p < end && is_code(*p) && p - start < MAX_CODE)
			p++;
		*class = CLASS_CODE + (p - start);
	}
	else if (is_digit(*p))
	{
		while (p < end && is_digit(*p) && p - start < MAX_DIGITS)
			p++;
		*class = CLASS_DIGITS + (p - start);
	}
	else if (is_letter(*p))
	{
		while (p < end && is_letter(*p) && !(code && is_code(*p)) &&
			   p - start < MAX_WORD_BYTES)
			p += Min(pg_encoding_mblen(encoding, p), end - p);
		*class = CLASS_WORD;
	}
	else
		*class = *p++;
	return p;
}

/* Whether letters and digits alternate too often for words and numbers. */
static bool
has_code(const char *text, int len)
{
	int			switches = 0;

	for (int i = 1; i < len && switches < CODE_SWITCHES; i++)
	{
		if (!is_code(text[i]))
			switches = 0;
		else if (is_code(text[i - 1]) &&
				 is_digit(text[i]) != is_digit(text[i - 1]))
			switches++;
	}
	return switches >= CODE_SWITCHES;
}

/* The template of a value; returns its length, -1 with too many tokens. */
static int
classify(const FormatValue *value, int len, int encoding, uint8 *classes)
{
	const char *p = value->text;
	const char *end = p + len;
	bool		code = has_code(p, len);
	int			n = 0;

	while (p < end)
	{
		if (n == FORMAT_MAX_TOKENS)
			return -1;
		p = next_token(p, end, code, encoding, &classes[n++]);
	}
	return n;
}

/*
 * gs_format_classify: the tokens of a text; returns how many, -1 if too many.
 *
 * token: [FORMAT_MAX_TOKENS], filled
 */
int
gs_format_classify(const char *text, int len, FormatToken *token)
{
	bool		code = has_code(text, len);
	int			encoding = GetDatabaseEncoding();
	const char *p = text;
	int			n = 0;

	for (; p < text + len; n++)
	{
		if (n == FORMAT_MAX_TOKENS)
			return -1;
		token[n].start = p - text;
		p = next_token(p, text + len, code, encoding, &token[n].class);
		token[n].len = p - text - token[n].start;
	}
	return n;
}

/* How much of a value is looked at. */
static int
value_bytes(const FormatValue *value)
{
	if (value->len <= FORMAT_MAX_LENGTH)
		return value->len;
	return pg_mbcliplen(value->text, value->len, FORMAT_MAX_LENGTH);
}

/*
 * Sets the share of each token: the rows that count for it, so that no row
 * counts for more than one in all: a rare token takes the last row that holds
 * it, together with the others that do so.
 */
static void
share_rows(FormatBuilder *b, TallyEntry **tokens, int n)
{
	TallyEntry **rare = palloc(Max(n, 1) * sizeof(TallyEntry *));
	int			nrare = 0;
	int			next;

	for (int i = 0; i < n; i++)
	{
		tokens[i]->share = tokens[i]->rows;
		if (tokens[i]->rows < b->threshold)
			rare[nrare++] = tokens[i];
	}
	qsort(rare, nrare, sizeof(TallyEntry *), gs_tally_by_last);
	for (int i = 0; i < nrare; i = next)
	{
		for (next = i; next < nrare && rare[next]->last == rare[i]->last;)
			next++;
		for (int k = i; k < next; k++)
			rare[k]->share = 1.0 / (next - i);
	}
	pfree(rare);
}

/* Lengths and case formats of a slot's novel words. */
static void
learn_words(FormatBuilder *b, TallyEntry **tokens, int n, FormatSlot *slot)
{
	FormatShare *lengths = palloc(Max(n, 1) * sizeof(FormatShare));
	double		total = 0;
	double		lower = 0;
	double		upper = 0;

	for (int i = 0; i < n; i++)
	{
		TallyKey	key = tokens[i]->key;
		int			nchars = pg_mbstrlen_with_len(key.text, key.len);
		int			len;
		char	   *folded = gs_format_fold(key.text, key.len, false, &len);

		total += tokens[i]->share;
		if (len == key.len && memcmp(folded, key.text, len) == 0)
			lower += tokens[i]->share;
		else if (nchars > 1)
		{
			pfree(folded);
			folded = gs_format_fold(key.text, key.len, true, &len);
			if (len == key.len && memcmp(folded, key.text, len) == 0)
				upper += tokens[i]->share;
		}
		pfree(folded);
		lengths[i].weight = tokens[i]->share;
		lengths[i].a = Min(Max(nchars, 1), FORMAT_MAX_WORD);
		lengths[i].b = tokens[i]->last;
	}
	slot->rest = gs_format_lengths(b, lengths, n);
	slot->lower = (uint32) (lower / total * FORMAT_ALL);
	slot->capital = (uint32) ((total - upper) / total * FORMAT_ALL);
	pfree(lengths);
}

/*
 * The characters of every position of a slot's novel digits or codes.  What
 * fewer than the threshold's rows have in a position is spread evenly over
 * the other characters of the class, so that no single row shows.
 */
static void
learn_characters(FormatBuilder *b, TallyEntry **tokens, int n,
				 FormatSlot *slot)
{
	bool		code = slot->class > CLASS_CODE;
	int			len = CLASS_LENGTH(slot->class);
	double		(*counts)[128] = palloc0((len + 1) * sizeof(*counts));
	double	   *all = counts[len];	/* a token counts once */
	int			nclass = 0;

	for (int i = 0; i < n; i++)
		for (int k = 0; k < len; k++)
		{
			const char *text = tokens[i]->key.text;
			int			c = text[k] & 127;

			counts[k][c] += tokens[i]->share;
			if (memchr(text, text[k], k) == NULL)
				all[c] += tokens[i]->share;
		}
	for (int c = 0; c < 128; c++)
	{
		all[c] = code ? all[c] >= b->threshold : is_digit(c);
		nclass += all[c] != 0;
	}
	for (int c = 0; c < 128 && nclass == 0; c++)
		all[c] = is_digit(c) || (c >= 'a' && c <= 'z');

	for (int k = 0; k < len; k++)
	{
		FormatShare	shares[128];
		double		kept = 0;
		double		total = 0;
		int			nothers = 0;
		int			nshares = 0;
		uint32		dist;

		for (int c = 0; c < 128; c++)
		{
			total += counts[k][c];
			if (counts[k][c] >= b->threshold)
				kept += counts[k][c];
			else
				nothers += all[c] != 0;
		}
		for (int c = 0; c < 128; c++)
		{
			double		weight = 0;

			if (counts[k][c] >= b->threshold)
				weight = counts[k][c];
			else if (all[c] != 0)
				weight = (total - kept) / nothers;
			if (weight > 0)
			{
				shares[nshares].weight = weight;
				shares[nshares].a = c;
				shares[nshares++].b = 0;
			}
		}
		total = 0;
		for (int i = 0; i < nshares; i++)
			total += shares[i].weight;
		dist = gs_format_shares(b, shares, nshares, total);
		if (k == 0)
			slot->rest = dist;
	}
	pfree(counts);
}

/*
 * Moves the tokens that are kept verbatim, up to so many, before the others:
 * those that at least min rows have in this place, and words that enough rows
 * have in any.  Returns how many there are.
 */
static int
keep_tokens(Tally *tally, int class, TallyEntry **tokens,
			int n, double min, int max_vocabulary)
{
	int			nkept = 0;

	for (int i = 0; i < n && nkept < max_vocabulary; i++)
	{
		TallyEntry *token = tokens[i];
		TallyEntry *word = CLASS_IS_WORD(class) ?
			gs_tally_find(tally, PLACE_WORDS, token->key.text,
						  token->key.len) : token;

		if (token->rows < min && (word == NULL || word->rows < min))
			continue;
		memmove(tokens + nkept + 1, tokens + nkept,
				sizeof(TallyEntry *) * (i - nkept));
		tokens[nkept++] = token;
	}
	return nkept;
}

/*
 * Add a slot.  Its tokens (the most frequent first) that enough rows hold are
 * kept verbatim, the rest becomes the novel share; a single token that every
 * row has is a literal.
 */
static void
learn_slot(FormatBuilder *b, Tally *tally, int class, TallyEntry **tokens,
			 int n, int max_vocabulary)
{
	FormatSlot	slot = {0};
	FormatShare *shares;
	double		total = 0;
	double		novel = 0;
	double		kept = 0;
	double		min = b->threshold;
	int			nkept;

	slot.class = class;
	slot.rest = FORMAT_NONE;
	share_rows(b, tokens, n);
	for (int i = 0; i < n; i++)
		total += tokens[i]->weight;
	if (class > CLASS_DIGITS)
		min = Max(min, DIGITS_SHARE * total);
	nkept = keep_tokens(tally, class, tokens, n, min, max_vocabulary);
	shares = palloc(Max(nkept, 1) * sizeof(FormatShare));
	for (int i = 0; i < nkept; i++)
	{
		TallyKey	key = tokens[i]->key;

		kept += tokens[i]->weight;
		shares[i].weight = tokens[i]->weight;
		shares[i].a = gs_format_bytes(b, key.text, key.len);
		shares[i].b = key.len;
	}
	for (int i = nkept; i < n; i++)
		novel += tokens[i]->share;
	/* the few words that are rare do not call for words spelt anew */
	if (CLASS_IS_WORD(class) && kept >= VOCABULARY_SHARE * total)
		total = kept;
	slot.vocabulary = gs_format_shares(b, shares, nkept, total);
	pfree(shares);

	if (n > 1 || nkept < n)
	{
		/* too little that is novel says nothing: take everything */
		int			from = novel >= b->threshold ? nkept : 0;

		if (CLASS_IS_WORD(class))
			learn_words(b, tokens + from, n - from, &slot);
		else
			learn_characters(b, tokens + from, n - from, &slot);
	}
	*(FormatSlot *) gs_format_push(&b->slots, 1) = slot;
}

/* The first of the sorted entries that is not before a place. */
static int
position_start(TallyEntry **entries, int n, uint32 position)
{
	int			low = 0;

	while (low < n)
	{
		int			middle = low + (n - low) / 2;

		if (entries[middle]->key.position < position)
			low = middle + 1;
		else
			n = middle;
	}
	return low;
}

/*
 * Prose: a slot for every class that enough rows have, and what follows the
 * start and each of them.
 */
static void
learn_prose(FormatBuilder *b, Tally *tally, TallyEntry **entries, int n,
			Size budget, FormatText *text)
{
	uint32		states[256] = {0};	/* class -> state; 0 is start and end */
	uint8		classes[256];
	uint32		nstates = 1;
	int64		rows[256] = {0};	/* held by so many rows, or a few more */
	int			words = Min(PROSE_VOCABULARY, budget / 4 / 20);
	int			chain = position_start(entries, n, PLACE_CHAIN);
	int			nchain = position_start(entries, n, PLACE_WORDS) - chain;

	text->prose = b->slots.n;
	classes[0] = 0;
	for (int i = chain; i < chain + nchain; i++)
	{
		uint8		c = entries[i]->key.text[1];

		rows[c] = Max(rows[c], entries[i]->rows);
	}
	for (int c = 1; c < 256; c++)
	{
		int			first = position_start(entries, n, PLACE_PROSE + c);
		int			last = position_start(entries, n, PLACE_PROSE + c + 1);

		if (rows[c] < b->threshold)
			continue;
		if (CLASS_IS_SLOT(c))
			learn_slot(b, tally, c, entries + first, last - first,
						 CLASS_IS_WORD(c) ? words : SLOT_VOCABULARY / 10);
		else
		{
			FormatSlot  *slot = gs_format_push(&b->slots, 1);

			slot->class = c;
			slot->vocabulary = slot->rest = FORMAT_NONE;
		}
		states[c] = nstates;
		classes[nstates++] = c;
	}
	text->nprose = nstates - 1;
	for (uint32 s = 0; s < nstates; s++)
	{
		FormatShare	shares[256];
		int			nshares = 0;
		double		total = 0;
		uint32		dist;

		for (int c = 0; c < 256; c++)
		{
			char		step[2] = {classes[s], c};
			TallyEntry *entry;

			if (c != 0 && states[c] == 0)
				continue;
			entry = gs_tally_find(tally, PLACE_CHAIN, step, 2);
			if (entry == NULL || entry->rows < b->threshold)
				continue;
			shares[nshares].weight = entry->weight;
			shares[nshares].a = states[c];
			shares[nshares++].b = 0;
			total += entry->weight;
		}
		dist = gs_format_shares(b, shares, nshares, total);
		if (s == 0)
			text->chain = dist;
	}
}

/*
 * Learn a model of strings, within about so many bytes.  Returns its index.
 */
uint32
gs_format_learn_text(FormatBuilder *b, const FormatValue *values, int n,
					 Size budget)
{
	MemoryContext caller = CurrentMemoryContext;
	MemoryContext scratch;
	int			encoding = GetDatabaseEncoding();
	int			stride = gs_format_stride(values, n, LEARN_BYTES);
	uint32		index = b->texts.n;
	Size		limit;
	FormatText	text = {0};
	GsCheckTally checks = {0};
	Tally	   *templates;
	Tally	   *tokens;
	TallyEntry **kept;
	TallyEntry **entries;
	FormatShare	shares[FORMAT_MAX_TEMPLATES];
	FormatShare *lengths;
	uint8		classes[FORMAT_MAX_TOKENS + 1];
	uint32		nslots = 0;
	double		total;
	double		prose = 0;
	int64		prose_rows = 0;
	int			prose_last = -1;
	int			nlengths = 0;
	int			nkept = 0;
	int			nshares = 0;
	int			nentries;
	int			at;

	budget = Max(budget, MIN_BUDGET);
	limit = gs_format_used(b) + budget;
	gs_format_push(&b->texts, 1);
	scratch = AllocSetContextCreate(caller, "gensynth shape of text",
									ALLOCSET_DEFAULT_SIZES);
	MemoryContextSwitchTo(scratch);
	templates = gs_tally_create();
	tokens = gs_tally_create();
	lengths = palloc((n / stride + 1) * sizeof(FormatShare));

	for (int i = 0; i < n; i += stride)
	{
		int			nclasses = classify(&values[i], value_bytes(&values[i]),
										encoding, classes);

		CHECK_FOR_INTERRUPTS();
		gs_check_count(&checks, values[i].text,
					   Min(values[i].len, GS_CHECK_MAX_BYTES));
		if (nclasses >= 0)
			gs_tally_add(templates, 0, (char *) classes, nclasses, true,
						 values[i].row, values[i].count);
	}
	kept = gs_tally_sorted(templates, &at);
	while (nkept < at && nkept < FORMAT_MAX_TEMPLATES &&
		   kept[nkept]->rows >= b->threshold)
	{
		kept[nkept]->id = nslots;
		for (int k = 0; k < kept[nkept]->key.len; k++)
			nslots += CLASS_IS_SLOT((uint8) kept[nkept]->key.text[k]);
		nkept++;
	}

	for (int i = 0; i < n; i += stride)
	{
		const FormatValue *value = &values[i];
		int			len = value_bytes(value);
		const char *end = value->text + len;
		bool		code = has_code(value->text, len);
		int			nclasses = classify(value, len, encoding, classes);
		TallyEntry *template = NULL;
		uint8		class;
		uint32		slot;
		char		step[2] = {0, 0};

		CHECK_FOR_INTERRUPTS();
		if (nclasses >= 0)
			template = gs_tally_find(templates, 0, (char *) classes, nclasses);
		if (template && template->id == FORMAT_NONE)
			template = NULL;
		slot = template ? template->id : 0;
		if (template == NULL)
		{
			prose += value->count;
			if (value->row != prose_last)
				prose_rows += value->count;
			prose_last = value->row;
			lengths[nlengths].weight = value->count;
			lengths[nlengths].b = value->row;
			lengths[nlengths++].a = len;
		}
		for (const char *p = value->text; p < end;)
		{
			const char *token = p;

			p = next_token(p, end, code, encoding, &class);
			if (class == CLASS_WORD)
				gs_tally_add(tokens, PLACE_WORDS, token, p - token, false,
							 value->row, value->count);
			if (template == NULL)
				class = prose_class(class, token, value->text);
			if (CLASS_IS_SLOT(class))
				gs_tally_add(tokens, template ? slot++ : PLACE_PROSE + class,
							 token, p - token, false, value->row,
							 value->count);
			if (template == NULL)
			{
				step[0] = step[1];
				step[1] = class;
				gs_tally_add(tokens, PLACE_CHAIN, step, 2, true, value->row,
							 value->count);
			}
		}
		if (template == NULL)
		{
			step[0] = step[1];
			step[1] = 0;
			gs_tally_add(tokens, PLACE_CHAIN, step, 2, true, value->row,
						 value->count);
		}
	}
	entries = gs_tally_sorted(tokens, &nentries);

	at = position_start(entries, nentries, PLACE_WORDS);
	gs_format_learn_letters(b, entries + at, nentries - at,
							budget / 3 / sizeof(FormatItem), &text);
	if (prose_rows >= b->threshold)
		learn_prose(b, tokens, entries, nentries, budget, &text);
	if (text.nprose == 0)
		prose = 0;
	text.lengths = gs_format_lengths(b, lengths, nlengths);

	/* the templates that fit */
	at = 0;
	for (int i = 0; i < nkept; i++)
	{
		TallyEntry *template = kept[i];

		CHECK_FOR_INTERRUPTS();
		if (i > 0 && gs_format_used(b) > limit)
			break;
		shares[nshares].weight = template->rows;
		shares[nshares].a = gs_format_bytes(b, template->key.text,
											template->key.len);
		shares[nshares++].b = b->slots.n;
		for (int k = 0; k < template->key.len; k++)
		{
			uint8		class = template->key.text[k];
			int			first = at;
			Size		used = gs_format_used(b);
			Size		room = limit > used ? (limit - used) / 20 : 0;

			if (!CLASS_IS_SLOT(class))
				continue;
			while (at < nentries &&
				   entries[at]->key.position == entries[first]->key.position)
				at++;
			learn_slot(b, tokens, class, entries + first, at - first,
						 Min(SLOT_VOCABULARY, Max(room, 1)));
		}
	}
	/* the total is that of the templates kept and of what prose stands for */
	total = prose;
	for (int i = 0; i < nshares; i++)
		total += shares[i].weight;
	text.templates = gs_format_shares(b, shares, nshares, total);
	text.tries = FORMAT_TRIES;
	text.check = gs_check_found(&checks);
	((FormatText *) b->texts.data)[index] = text;
	MemoryContextSwitchTo(caller);
	MemoryContextDelete(scratch);
	return index;
}
