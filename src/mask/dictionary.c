/*
 * dictionary.c
 *	  Rows of the lists, drawn by weight, and letters of Latin scripts as those
 *	  of ASCII.
 *
 * Plain C: no postgres.h.
 */
#include <string.h>

#include "mask/dictionary.h"

/* What the letters U+00C0 to U+017F are in ASCII, two characters each. */
static const char fold_0c0[] =
"a a a a a a aec e e e e i i i i "	/* 0C0 */
"d n o o o o o   o u u u u y thss"	/* 0D0 */
"a a a a a a aec e e e e i i i i "	/* 0E0 */
"d n o o o o o   o u u u u y thy "	/* 0F0 */
"a a a a a a c c c c c c c c d d "	/* 100 */
"d d e e e e e e e e e e g g g g "	/* 110 */
"g g g g h h h h i i i i i i i i "	/* 120 */
"i i ijijj j k k k l l l l l l l "	/* 130 */
"l l l n n n n n n n n n o o o o "	/* 140 */
"o o oeoer r r r r r s s s s s s "	/* 150 */
"s s t t t t t t u u u u u u u u "	/* 160 */
"u u u u w w y y y z z z z z z s ";	/* 170 */

/*
 * gs_data_group: the rows of a locale and sex ('f', 'm', 'x').
 *
 * Returns NULL where the data has none.
 */
const GsDataGroup *
gs_data_group(const GsData *data, int locale, char sex)
{
	for (int i = 0; i < data->ngroups; i++)
		if (data->groups[i].locale == locale && data->groups[i].sex == sex)
			return &data->groups[i];
	return NULL;
}

/*
 * gs_data_field: a field of a row; '' where the row has nothing there.
 */
const char *
gs_data_field(const GsData *data, uint32_t row, int field)
{
	const char *text = data->text + data->rows[row].text;

	while (field-- > 0)
		text += strlen(text) + 1;
	return text;
}

/*
 * gs_data_draw: one of the rows from first to last of a group, by weight.
 */
uint32_t
gs_data_draw(const GsData *data, const GsDataGroup *group, uint32_t first,
			 uint32_t last, uint64_t random)
{
	uint32_t	before = first > group->first ? data->rows[first - 1].upto : 0;
	uint32_t	point = before +
		(uint32_t) (((unsigned __int128) random *
					 (data->rows[last].upto - before)) >> 64);

	/* no branches: which half it is in cannot be told beforehand */
	for (uint32_t n = last - first + 1; n > 1;)
	{
		uint32_t	half = n / 2;

		first += data->rows[first + half - 1].upto > point ? 0 : half;
		n -= half;
	}
	return first;
}

/* The next code point; *used its bytes, at least 1.  -1: not UTF-8. */
static inline int
next_point(const unsigned char *text, int len, int *used)
{
	int			n = text[0] < 0x80 ? 1 : text[0] >= 0xf0 ? 4 :
		text[0] >= 0xe0 ? 3 : text[0] >= 0xc0 ? 2 : 0;
	int			point;

	*used = 1;
	if (n == 0 || n > len)
		return -1;
	point = n == 1 ? text[0] : text[0] & (0x7f >> n);
	for (int i = 1; i < n; i++)
	{
		if ((text[i] & 0xc0) != 0x80)
			return -1;
		point = point << 6 | (text[i] & 0x3f);
	}
	*used = n;
	return point;
}

/* A letter's ASCII at out, without the final 0: up to 2 bytes; 0: none. */
static int
fold_letter(int c, int locale, char *out)
{
	const char *fold = fold_0c0 + 2 * (c - 0xc0);

	if (c < 0xc0 || c >= 0x180 || fold[0] == ' ')
		return 0;
	out[0] = fold[0];
	out[1] = fold[1];
	if (fold[1] == ' ' && locale == GS_LOCALE_DE_DE &&
		(c == 0xc4 || c == 0xd6 || c == 0xdc ||
		 c == 0xe4 || c == 0xf6 || c == 0xfc))
		out[1] = 'e';
	return out[1] == ' ' ? 1 : 2;
}

/*
 * gs_fold_latin: the letters and digits of a text, as lower-case ASCII.
 *
 * Letters with marks lose them; German umlauts become two letters.  What is
 * neither letter nor digit, or of another script, is left out.  Writes at most
 * size - 1 bytes and a 0; returns the bytes.
 */
int
gs_fold_latin(const char *text, int len, int locale, char *out, int size)
{
	int			n = 0;
	int			used;

	for (int i = 0; i < len && n + 2 < size; i += used)
	{
		int			c = text[i];

		used = 1;
		if (c & 0x80)
			c = next_point((const unsigned char *) text + i, len - i, &used);
		if (c >= 'A' && c <= 'Z')
			out[n++] = c + 32;
		else if ((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9'))
			out[n++] = c;
		else
			n += fold_letter(c, locale, out + n);
	}
	out[n] = '\0';
	return n;
}

/*
 * gs_latin_text: a text as it is, but for letters that ASCII does not have.
 *
 * Those of other scripts are left out.  Writes at most size - 1 bytes and a 0;
 * returns the bytes.
 */
int
gs_latin_text(const char *text, int len, int locale, char *out, int size)
{
	int			n = 0;
	int			used;

	for (int i = 0; i < len && n + 2 < size; i += used)
	{
		int			c = next_point((const unsigned char *) text + i,
								   len - i, &used);
		int			start = n;

		if (c > 0 && c < 0x80)
			out[n++] = c;
		else
			n += fold_letter(c, locale, out + n);
		/* a capital where a word begins */
		if (c >= 0xc0 && n > start && (start == 0 || out[start - 1] == ' '))
			out[start] -= 32;
	}
	out[n] = '\0';
	return n;
}

/*
 * gs_utf8_chars: how many characters a text has.
 */
int
gs_utf8_chars(const char *text, int len)
{
	int			n = 0;

	for (int i = 0; i < len; i++)
		n += (text[i] & 0xc0) != 0x80;
	return n;
}
