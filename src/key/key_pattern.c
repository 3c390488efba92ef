/*
 * key_pattern.c
 *	  Texts of one format, as keys: AB-12-XYZ.
 *
 * A format has two bytes for each byte of a text: a class, and the byte itself
 * where it is the same in all texts (class 0).  The keys are the product of
 * the classes, in mixed radix: the last varying byte is the least digit.
 * Where the product is beyond 64 bits, the bytes in front are random.
 */
#include "postgres.h"

#include "mb/pg_wchar.h"

#include "key/key.h"

/* A byte of another class in fewer texts than this is taken as an exception. */
#define CLASS_SHARE		0.01
/* So many of the texts must have one length. */
#define LENGTH_SHARE	0.90

#define HAS_DIGIT		1
#define HAS_LOWER		2
#define HAS_UPPER		4
#define HAS_HIGH		8		/* letters beyond f */

/* By what a place holds; the hexadecimal ones first. */
static const struct
{
	int			has;
	uint32		size;
	const char *alphabet;
}			classes[] = {
	{0, 1, NULL},
	{HAS_DIGIT, 10, "0123456789"},
	{HAS_DIGIT | HAS_LOWER, 16, "0123456789abcdef"},
	{HAS_DIGIT | HAS_UPPER, 16, "0123456789ABCDEF"},
	{HAS_LOWER, 26, "abcdefghijklmnopqrstuvwxyz"},
	{HAS_LOWER | HAS_HIGH, 26, "abcdefghijklmnopqrstuvwxyz"},
	{HAS_UPPER, 26, "ABCDEFGHIJKLMNOPQRSTUVWXYZ"},
	{HAS_UPPER | HAS_HIGH, 26, "ABCDEFGHIJKLMNOPQRSTUVWXYZ"},
	{HAS_DIGIT | HAS_LOWER | HAS_HIGH, 36,
	"0123456789abcdefghijklmnopqrstuvwxyz"},
	{HAS_DIGIT | HAS_UPPER | HAS_HIGH, 36,
	"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"},
	{HAS_LOWER | HAS_UPPER | HAS_HIGH, 52,
	"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"},
	{HAS_DIGIT | HAS_LOWER | HAS_UPPER | HAS_HIGH, 62,
	"0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"}
};

/* How often each byte is at one place. */
typedef struct PositionCount
{
	int			count[256];
	int			n;
} PositionCount;

/*
 * The class and byte of a place.  mixed: whether the case of a letter tells
 * texts apart.  Returns false where it has no class.
 */
static bool
learn_position(const PositionCount *position, bool mixed, char *pair)
{
	int			min = (int) (CLASS_SHARE * position->n);
	int			count[9] = {0};
	int			has = 0;

	for (int c = 0; c < 256; c++)
	{
		int			is = c >= '0' && c <= '9' ? HAS_DIGIT :
			c >= 'a' && c <= 'z' ? HAS_LOWER :
			c >= 'A' && c <= 'Z' ? HAS_UPPER : 0;

		if (position->count[c] >= position->n - min)
		{
			pair[0] = 0;
			pair[1] = (char) c;
			return c != 0;
		}
		if (is == 0 && position->count[c] > min)
			return false;
		count[is] += position->count[c];
		if (is != 0 && is != HAS_DIGIT && (c | 0x20) > 'f')
			count[HAS_HIGH] += position->count[c];
	}
	for (int is = HAS_DIGIT; is <= HAS_HIGH; is <<= 1)
		if (count[is] > min)
			has |= is;
	/* hexadecimal digits are written in one case */
	if ((has & HAS_LOWER) && (has & HAS_UPPER))
	{
		has |= HAS_HIGH;
		if (!mixed)
			return false;
	}
	for (int i = 1; i < lengthof(classes); i++)
		if (classes[i].has == has)
		{
			pair[0] = (char) i;
			pair[1] = 0;
			return true;
		}
	return false;
}

/*
 * The length that most texts have; -1 if they do not agree.
 */
static int
common_length(char *const *texts, int n)
{
	int			count[GS_KEY_MAX_PATTERN + 1] = {0};

	for (int i = 0; i < n; i++)
	{
		Size		len = strlen(texts[i]);

		if (len <= GS_KEY_MAX_PATTERN)
			count[len]++;
	}
	for (int len = 1; len <= GS_KEY_MAX_PATTERN; len++)
		if (count[len] >= LENGTH_SHARE * n)
			return len;
	return -1;
}

/*
 * Takes the check digits, which follow from the others, out of a format.
 * Returns false if this text has none.
 */
static bool
leave_check_digits(GsKey *key, const char *text)
{
	int			places[2];
	int			n = gs_check_places(key->check, text, strlen(text), places);

	for (int k = 0; k < n; k++)
	{
		key->text[2 * places[k]] = 0;
		key->text[2 * places[k] + 1] = '0';
	}
	return n > 0;
}

/*
 * gs_key_learn_pattern: finds the format that nearly all of n texts have, and
 * the size of its key space.
 *
 * key: with the check digits that the texts have; mixed: whether texts that differ only in their case are different keys.
 * Returns false where there is none.
 */
bool
gs_key_learn_pattern(GsKey *key, char *const *texts, int n, bool mixed)
{
	int			len = common_length(texts, n);
	PositionCount *position;
	bool		found = true;

	if (len < 0)
		return false;
	position = palloc0(sizeof(PositionCount) * len);
	for (int i = 0; i < n; i++)
	{
		if (strlen(texts[i]) != len)
			continue;
		for (int k = 0; k < len; k++)
		{
			position[k].count[(unsigned char) texts[i][k]]++;
			position[k].n++;
		}
	}
	key->kind = GS_KEY_PATTERN;
	key->text_bytes = 2 * len;
	key->text = palloc(2 * len);
	for (int k = 0; k < len && found; k++)
		found = learn_position(&position[k], mixed, key->text + 2 * k);
	pfree(position);
	for (int i = 0; i < n && found && key->check != GS_CHECK_NONE; i++)
		if (strlen(texts[i]) == len && leave_check_digits(key, texts[i]))
			break;
	return found && gs_key_pattern_space(key->text, key->text_bytes,
										 &key->space);
}

/*
 * gs_key_pattern_space: the number of keys of a format: of the bytes at its
 * end that 64 bits can count.  Returns false if it is none, or if what it
 * writes would not be text in this encoding.
 */
bool
gs_key_pattern_space(const char *pattern, int bytes, uint64 *space)
{
	char		sample[GS_KEY_MAX_PATTERN];
	bool		full = false;

	*space = 1;
	if (bytes < 2 || bytes % 2 != 0 || bytes > 2 * GS_KEY_MAX_PATTERN)
		return false;
	for (int k = bytes - 2; k >= 0; k -= 2)
	{
		unsigned char class = pattern[k];
		uint64		size;

		if (class >= lengthof(classes) || (class == 0) == (pattern[k + 1] == 0))
			return false;
		sample[k / 2] = class == 0 ? pattern[k + 1] : '0';
		if (class == 0 || full)
			continue;
		size = classes[class].size;
		full = *space > PG_UINT64_MAX / size;
		if (!full)
			*space *= size;
	}
	return pg_verifymbstr(sample, bytes / 2, true);
}

/*
 * gs_key_pattern_write: key number "value" of a format, not terminated.
 *
 * random: of the row, for what is random; out: [GS_KEY_MAX_PATTERN].  Returns
 * the number of bytes.
 */
int
gs_key_pattern_write(const GsKey *key, uint64 value, GsRandom *random,
					 char *out)
{
	int			len = key->text_bytes / 2;
	uint64		left = key->space;

	for (int k = len - 1; k >= 0; k--)
	{
		unsigned char class = key->text[2 * k];
		const char *alphabet = classes[class].alphabet;
		uint32		size;

		if (class == 0)
		{
			out[k] = key->text[2 * k + 1];
			continue;
		}
		size = classes[class].size;
		if (left >= size)
		{
			out[k] = alphabet[value % size];
			value /= size;
			left /= size;
		}
		else
			out[k] = alphabet[gs_random_below(random, size)];
	}
	gs_check_set(key->check, out, len);
	return len;
}
