/*
 * format_letters.c
 *	  Learning which letters follow which.
 *
 * A Markov chain of order 2 over lower-case letters that backs off to order 1
 * and to single letters (the back-off share is that of the sequences dropped
 * because too few rows hold them, plus a part of Witten and Bell's estimate of
 * unseen ones).  Every distinct word counts once: novel words are to look like
 * rare ones, not like the most frequent.  A sequence is kept when the words
 * that have it are held by at least rare_threshold rows, however many words of
 * a row have it.
 */
#include "postgres.h"

#include "catalog/pg_collation_d.h"
#include "mb/pg_wchar.h"
#include "miscadmin.h"
#include "utils/formatting.h"

#include "text/format_internal.h"

#define EDGE		'\1'		/* before and after a word */
#define MAX_LETTERS 256			/* that are looked at in a word */
#define UNSEEN		0.25		/* of a new sequence per known one */

/* A sequence of one to three symbols that is kept. */
typedef struct Gram
{
	uint32		symbol[3];
	double		weight;
	uint32		dist;			/* what follows a pair */
} Gram;

/* Lower or upper case, palloc'd; as cheap as can be for ASCII. */
char *
gs_format_fold(const char *text, int len, bool upper, int *folded_len)
{
	char	   *folded;
	bool		ascii = true;

	for (int i = 0; i < len && ascii; i++)
		ascii = !IS_HIGHBIT_SET(text[i]);
	if (!ascii)
	{
		folded = upper ? str_toupper(text, len, DEFAULT_COLLATION_OID) :
			str_tolower(text, len, DEFAULT_COLLATION_OID);
		*folded_len = strlen(folded);
		return folded;
	}
	folded = pnstrdup(text, len);
	for (int i = 0; i < len; i++)
		folded[i] = upper ? pg_ascii_toupper((unsigned char) text[i]) :
			pg_ascii_tolower((unsigned char) text[i]);
	*folded_len = len;
	return folded;
}

static uint32
pack_letter(const char *text, int len)
{
	uint32		packed = 0;

	for (int i = 0; i < len; i++)
		packed |= (uint32) (unsigned char) text[i] << i * 8;
	return packed;
}

/* The upper form of a letter, packed; itself where it has none of its own. */
static uint32
upper_letter(const char *text, int len)
{
	int			encoding = GetDatabaseEncoding();
	char	   *upper;
	int			upper_len;

	upper = gs_format_fold(text, len, true, &upper_len);
	if (upper_len < 1 || upper_len > 4 ||
		pg_encoding_mblen(encoding, upper) != upper_len)
		return pack_letter(text, len);
	return pack_letter(upper, upper_len);
}

/*
 * Count the letters, pairs and triples of the words, edges included.  Of the
 * rows that hold a rare word only the last one counts, and that once for all
 * of its words: inflections of a word that a single row has make no stem.
 */
static Tally *
count_grams(TallyEntry **words, int nwords, int threshold)
{
	int			encoding = GetDatabaseEncoding();
	Tally	   *grams = gs_tally_create();

	qsort(words, nwords, sizeof(TallyEntry *), gs_tally_by_last);
	for (int w = 0; w < nwords; w++)
	{
		bool		rare = words[w]->rows < threshold;
		int			starts[MAX_LETTERS + 3];
		int			n = 0;
		int			lower_len;
		char	   *lower;
		char	   *text;

		CHECK_FOR_INTERRUPTS();
		lower = gs_format_fold(words[w]->key.text, words[w]->key.len, false,
							   &lower_len);
		text = palloc(lower_len + 2);
		text[0] = EDGE;
		memcpy(text + 1, lower, lower_len);
		pfree(lower);
		starts[n++] = 0;
		for (int at = 1; at <= lower_len && n <= MAX_LETTERS;)
		{
			starts[n++] = at;
			at += Min(pg_encoding_mblen(encoding, text + at),
					  lower_len + 1 - at);
			starts[n] = at;
		}
		if (n < 2)
			continue;
		text[starts[n]] = EDGE;
		starts[n + 1] = starts[n] + 1;
		n++;
		for (int i = 0; i < n; i++)
			for (int k = 1; k <= 3 && i + k <= n; k++)
			{
				TallyEntry *gram;

				gram = gs_tally_add(grams, k, text + starts[i],
									starts[i + k] - starts[i], false,
									rare ? words[w]->last : -2 - w,
									rare ? 1 : words[w]->rows);
				/* a word counts once */
				gram->weight += rare ? 0 : 1 - words[w]->rows;
			}
	}
	return grams;
}

static int
compare_grams(const void *pa, const void *pb)
{
	const Gram *a = pa;
	const Gram *b = pb;

	for (int i = 0; i < 3; i++)
		if (a->symbol[i] != b->symbol[i])
			return a->symbol[i] < b->symbol[i] ? -1 : 1;
	return 0;
}

/*
 * The sequences of k symbols that enough rows hold and whose symbols are
 * known, sorted.  Where there are more than fit, more rows are asked for.
 */
static Gram *
kept_grams(Tally *tally, TallyEntry **entries, int nentries, int k,
		   int64 threshold, int max_items, int *n)
{
	int			encoding = GetDatabaseEncoding();
	Gram	   *grams;
	int			first = 0;
	int			last;

	while (first < nentries && entries[first]->key.position < k)
		first++;
	/* the most frequent come first */
	for (last = first; last < nentries && entries[last]->key.position == k &&
		 entries[last]->rows >= threshold && last - first < max_items;)
		last++;
	grams = palloc((last - first + 1) * sizeof(Gram));
	*n = 0;
	for (int i = first; i < last; i++)
	{
		TallyKey	key = entries[i]->key;
		Gram	   *gram = &grams[*n];
		int			at = 0;
		int			s;

		memset(gram, 0, sizeof(Gram));
		for (s = 0; s < k; s++)
		{
			int			len = Min(pg_encoding_mblen(encoding, key.text + at),
								  (int) key.len - at);
			TallyEntry *letter = gs_tally_find(tally, 1, key.text + at, len);

			if (letter == NULL || letter->id == FORMAT_NONE)
				break;
			gram->symbol[s] = letter->id;
			at += len;
		}
		gram->weight = entries[i]->weight;
		gram->dist = FORMAT_NONE;
		*n += s == k;
	}
	qsort(grams, *n, sizeof(Gram), compare_grams);
	return grams;
}

/* The pair's distribution of what follows; none if the pair is not kept. */
static uint32
after_pair(Gram *pairs, int npairs, uint32 a, uint32 b)
{
	Gram		key = {.symbol = {a, b, 0}};
	Gram	   *pair = bsearch(&key, pairs, npairs, sizeof(Gram),
							   compare_grams);

	return pair ? pair->dist : FORMAT_NONE;
}

/*
 * Learn the letters of distinct words; fills in the text's alphabet, nsymbols
 * and npairs.  max_items bounds each of the alphabet, the pairs and the
 * triples.
 */
void
gs_format_learn_letters(FormatBuilder *b, TallyEntry **words, int nwords,
						int max_items, FormatText *text)
{
	Tally	   *tally = count_grams(words, nwords, b->threshold);
	TallyEntry **entries;
	Gram	   *pairs;
	Gram	   *triples;
	FormatShare *shares;
	double	   *weight;			/* per symbol, dropped sequences included */
	double		total = 0;
	uint32		nsymbols = 1;
	int			nentries;
	int			npairs;
	int			ntriples;
	int			max_symbols = Min(FORMAT_MAX_SYMBOLS, max_items);

	entries = gs_tally_sorted(tally, &nentries);
	shares = palloc0(Max(max_symbols + 1, nentries + 1) * sizeof(FormatShare));
	weight = palloc0((max_symbols + 1) * sizeof(double));
	for (int i = 0; i < nentries && entries[i]->key.position == 1; i++)
	{
		TallyEntry *entry = entries[i];

		if (*entry->key.text == EDGE)
		{
			/* every word has two, and one of them is followed by a letter */
			entry->id = 0;
			weight[0] = entry->weight / 2.0;
		}
		else if (entry->rows >= b->threshold && nsymbols < max_symbols &&
				 entry->key.len <= 4)
		{
			entry->id = nsymbols;
			weight[nsymbols] = shares[nsymbols].weight = entry->weight;
			shares[nsymbols].a = pack_letter(entry->key.text, entry->key.len);
			shares[nsymbols].b = upper_letter(entry->key.text,
											  entry->key.len);
			total += entry->weight;
			nsymbols++;
		}
	}
	pairs = kept_grams(tally, entries, nentries, 2, b->threshold, max_items,
					   &npairs);
	triples = kept_grams(tally, entries, nentries, 3, b->threshold, max_items,
						 &ntriples);

	text->alphabet = gs_format_shares(b, shares, nsymbols, total);
	text->nsymbols = nsymbols;

	/* number the distributions after pairs, which come after the symbols' */
	text->npairs = 0;
	for (int i = 0, p = 0; i < ntriples; i++)
	{
		Gram	   *triple = &triples[i];

		while (p < npairs && (pairs[p].symbol[0] < triple->symbol[0] ||
							  (pairs[p].symbol[0] == triple->symbol[0] &&
							   pairs[p].symbol[1] < triple->symbol[1])))
			p++;
		if (p == npairs || pairs[p].symbol[0] != triple->symbol[0] ||
			pairs[p].symbol[1] != triple->symbol[1])
			triple->weight = 0; /* its pair fell to max_items */
		else if (pairs[p].dist == FORMAT_NONE)
			pairs[p].dist = text->alphabet + 1 + nsymbols + text->npairs++;
	}

	for (uint32 s = 0, p = 0; s < nsymbols; s++)
	{
		int			n = 0;

		for (; p < npairs && pairs[p].symbol[0] == s; p++)
		{
			shares[n].weight = pairs[p].weight;
			shares[n].a = pairs[p].symbol[1];
			shares[n++].b = pairs[p].symbol[1] ? pairs[p].dist : FORMAT_NONE;
		}
		gs_format_shares(b, shares, n, weight[s] + UNSEEN * n);
	}
	for (int p = 0, t = 0; p < npairs; p++)
	{
		int			n = 0;

		for (; t < ntriples && triples[t].symbol[0] == pairs[p].symbol[0] &&
			 triples[t].symbol[1] == pairs[p].symbol[1]; t++)
		{
			shares[n].weight = triples[t].weight;
			shares[n].a = triples[t].symbol[2];
			shares[n++].b = after_pair(pairs, npairs, triples[t].symbol[1],
									   triples[t].symbol[2]);
		}
		if (n > 0)
			gs_format_shares(b, shares, n, pairs[p].weight + UNSEEN * n);
	}
}
