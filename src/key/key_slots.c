/*
 * key_slots.c
 *	  Unique texts that say something of their rows, beside a number:
 *	  INV-DE-2024-00017.
 *
 * A text is cut into runs of digits and runs of letters; other characters stand
 * for themselves.  The run of digits that has the most values is the number.
 * Those of few values are members of the column, learned as other columns are
 * (learn_slots.c), and those that are the same in all texts are literals.  So
 * two texts are equal if and only if their members and their numbers are.
 *
 * If no number repeats in the source, they are a key's.  Else they count within
 * each group of texts that have the same members (GS_KEY_GROUPED): from the
 * first number on where they lie close together, or, where they are scattered,
 * in the order of a permutation.
 */
#include "postgres.h"

#include <math.h>

#include "lib/stringinfo.h"
#include "mb/pg_wchar.h"
#include "miscadmin.h"

#include "column/members.h"
#include "key/key.h"
#include "learn/learn_slots.h"
#include "learn/quantile.h"

/* So many of the texts must be of one form. */
#define FORM_SHARE		0.90
/* A text of limited length has room for so many times the source's rows. */
#define LIMITED_ROOM	10
/* A number that more texts than this repeat is none by itself. */
#define REPEATED_SHARE	0.001
#define MAX_DIGITS		17
#define CLASS_DIGITS	'0'
#define CLASS_LETTERS	'a'

static char
class_of(char c)
{
	if (c >= '0' && c <= '9')
		return CLASS_DIGITS;
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
		IS_HIGHBIT_SET(c) ? CLASS_LETTERS : c;
}

/*
 * The form of a text, a class for each run, and its runs of digits and letters.
 * Returns how many these are; -1 for too many.
 */
static int
read_runs(const char *text, int len, char *classes, GsToken *run)
{
	int			n = 0;
	int			next;
	int			out = 0;

	for (int i = 0; i < len; i = next)
	{
		char		class = class_of(text[i]);

		next = i + 1;
		if (out == GS_KEY_MAX_PATTERN)
			return -1;
		classes[out++] = class;
		if (class != CLASS_DIGITS && class != CLASS_LETTERS)
			continue;
		while (next < len && class_of(text[next]) == class)
			next++;
		if (n == GS_MAX_SLOTS)
			return -1;
		run[n++] = (GsToken) {text + i, next - i};
	}
	classes[out] = '\0';
	return n;
}

/*
 * The runs of a text of a form.
 */
static bool
read_form(const void *form, const char *text, int len, GsToken *run)
{
	char		classes[GS_KEY_MAX_PATTERN + 1];

	return read_runs(text, len, classes, run) > 0 &&
		strcmp(classes, ((const GsKeyForm *) form)->classes) == 0;
}

/*
 * The form that most texts have (majority vote: Boyer and Moore), and how many
 * runs it has; 0: none.
 */
static int
common_form(const GsLane *lane, char *classes)
{
	HASH_SEQ_STATUS scan;
	GsText	   *entry;
	int			nruns = 0;
	int64		votes = 0;

	hash_seq_init(&scan, lane->texts);
	while ((entry = hash_seq_search(&scan)) != NULL)
	{
		char		own[GS_KEY_MAX_PATTERN + 1];
		GsToken		run[GS_MAX_SLOTS];
		int			n;

		CHECK_FOR_INTERRUPTS();
		if (entry->len > GS_KEY_MAX_PATTERN || entry->len < entry->full_len)
			continue;
		n = read_runs(entry->text, entry->len, own, run);
		if (n < 1)
			continue;
		if (votes > 0 && strcmp(own, classes) == 0)
			votes++;
		else if (votes > 0)
			votes--;
		else
		{
			strcpy(classes, own);
			nruns = n;
			votes = 1;
		}
	}
	return nruns;
}

/*
 * gs_key_form_find: the form that nearly all texts of a lane have.
 *
 * Returns false where there is none, or a run varies that is neither the number
 * nor has few values.  Can be cancelled.
 */
bool
gs_key_form_find(const GsLane *lane, int threshold, GsKeyForm *form)
{
	GsSlotCount count[GS_MAX_SLOTS];
	GsSlotReader reader = {.form = form,.read = read_form};
	char	   *class = form->classes;
	int64		rows;

	memset(form, 0, sizeof(GsKeyForm));
	form->number = -1;
	reader.nslots = form->nruns = common_form(lane, form->classes);
	if (form->nruns == 0)
		return false;
	rows = gs_slots_count(lane, threshold, &reader, count);
	if (rows < FORM_SHARE * hash_get_num_entries(lane->texts))
		return false;
	for (int k = 0; k < form->nruns; k++, class++)
	{
		while (*class != CLASS_DIGITS && *class != CLASS_LETTERS)
			class++;
		if (*class == CLASS_DIGITS && count[k].ntokens > 1 &&
			(form->number < 0 ||
			 count[k].ntokens > count[form->number].ntokens))
			form->number = k;
	}
	if (form->number < 0)
		return false;
	for (int k = 0; k < form->nruns; k++)
	{
		if (k == form->number || gs_slot_is_fixed(&count[k], rows))
			continue;
		if (!gs_slot_tells(&count[k], rows) ||
			form->nslots == GS_MAX_SLOT_MEMBERS)
			return false;
		form->slot[form->nslots++] = k;
	}
	return true;
}

/*
 * gs_key_form_number: the number in a text of a form, and the group of texts
 * that differ in nothing else.  Returns false if the text has none.
 */
bool
gs_key_form_number(const GsKeyForm *form, const char *text, int len,
				   GsKeyNumber *number)
{
	GsToken		run[GS_MAX_SLOTS];
	const GsToken *digits = &run[form->number];

	if (!read_form(form, text, len, run) || digits->len > MAX_DIGITS)
		return false;
	number->number = strtoll(digits->text, NULL, 10);
	number->group = 0;
	for (int k = 0; k < form->nslots; k++)
		number->group = gs_format_hash(run[form->slot[k]].text,
									   run[form->slot[k]].len, number->group);
	return true;
}

static int
by_group(const void *a, const void *b)
{
	const GsKeyNumber *x = a;
	const GsKeyNumber *y = b;

	if (x->group != y->group)
		return x->group < y->group ? -1 : 1;
	return (x->number > y->number) - (x->number < y->number);
}

/*
 * Whether numbers were counted within their groups: most lie close together.
 *
 * sorted: [n] by group and number
 */
static bool
counted_in_groups(const GsKey *key, const GsKeyNumber *sorted, int64 n,
				  const GsKeyRows *rows)
{
	GsScalar   *own = palloc_extended(sizeof(GsScalar) * n, MCXT_ALLOC_HUGE);
	int64		counted = 0;
	int64		next;

	for (int64 i = 0; i < n; i = next)
	{
		for (next = i; next < n && sorted[next].group == sorted[i].group; next++)
			own[next - i].i = sorted[next].number;
		if (next - i > 1 && gs_key_is_dense(key, own, next - i, n, rows))
			counted += next - i;
	}
	pfree(own);
	return 2 * counted > n;
}

/*
 * What stands around the runs that vary, one text after the other.
 *
 * sample: a text of the form
 */
static void
learn_literals(const GsKeyForm *form, const char *sample, GsKey *key)
{
	GsToken		run[GS_MAX_SLOTS];
	StringInfoData text;
	const char *at = sample;
	int			slot = 0;

	(void) read_form(form, sample, strlen(sample), run);
	initStringInfo(&text);
	for (int k = 0; k < form->nruns; k++)
	{
		bool		told = slot < form->nslots && form->slot[slot] == k;

		if (k == form->number)
			key->place = slot + 1;
		else if (!told)
			continue;
		slot += told;
		appendBinaryStringInfo(&text, at, run[k].text - at);
		appendStringInfoChar(&text, '\0');
		at = run[k].text + run[k].len;
	}
	appendStringInfoString(&text, at);
	appendStringInfoChar(&text, '\0');
	key->text = text.data;
	key->text_bytes = text.len;
	for (int i = 0; i < run[form->number].text - sample; i++)
		key->runs += class_of(sample[i]) == CLASS_DIGITS &&
			class_of(sample[i + 1]) != CLASS_DIGITS;
}

/*
 * gs_key_learn_slots: a column of unique texts as a key whose texts are drawn in
 * part; false if they are of no such form.
 *
 * texts: [n] of the lane, in any order.  Sets key->form, for
 * gs_key_learn_members.
 */
bool
gs_key_learn_slots(const GsColumn *column, GsKey *key, const GsLane *lane,
				   char *const *texts, int n, const GsKeyRows *rows)
{
	GsKeyForm  *form = palloc(sizeof(GsKeyForm));
	GsKeyNumber *numbers;
	GsScalar   *sorted;
	const char *sample = NULL;
	int			chars = gs_codec_max_chars(&column->codec);
	int			around = 0;		/* characters, of the longest text */
	int64		m = 0;
	int64		repeated = 0;

	if (!gs_key_form_find(lane, rows->threshold, form) || form->nslots == 0)
		return false;
	numbers = palloc_extended(sizeof(GsKeyNumber) * n, MCXT_ALLOC_HUGE);
	sorted = palloc_extended(sizeof(GsScalar) * n, MCXT_ALLOC_HUGE);
	key->width = MAX_DIGITS;
	for (int i = 0; i < n; i++)
	{
		GsToken		run[GS_MAX_SLOTS];

		if (!gs_key_form_number(form, texts[i], strlen(texts[i]), &numbers[m]))
			continue;
		(void) read_form(form, texts[i], strlen(texts[i]), run);
		key->width = Min(key->width, run[form->number].len);
		around = Max(around, pg_mbstrlen(texts[i]) - run[form->number].len);
		sorted[m].i = numbers[m].number;
		/* whichever comes first in a hash table is no matter of chance only */
		if (sample == NULL || strcmp(texts[i], sample) < 0)
			sample = texts[i];
		m++;
	}
	if (m == 0 || (chars > 0 && pow(10, chars - around) <
				   (double) rows->rows * LIMITED_ROOM))
		return false;
	gs_scalars_sort(sorted, m, GS_LANE_INT);
	qsort(numbers, m, sizeof(GsKeyNumber), by_group);
	for (int64 i = 1; i < m; i++)
		repeated += sorted[i].i == sorted[i - 1].i;
	learn_literals(form, sample, key);
	key->form = form;
	key->step = 1;
	if (repeated > REPEATED_SHARE * m)
	{
		key->scattered = !counted_in_groups(key, numbers, m, rows);
		gs_key_learn_numbers(column, key, sorted, m,
							 key->scattered ? GS_NUMBERS_DRAWN :
							 GS_NUMBERS_COUNTED, rows);
		key->kind = GS_KEY_GROUPED;
	}
	else
	{
		gs_key_learn_numbers(column, key, sorted, m, GS_NUMBERS_ANY, rows);
		if (key->kind == GS_KEY_RANGE)
		{
			key->kind = GS_KEY_GROUPED;
			key->scattered = true;
		}
	}
	pfree(numbers);
	pfree(sorted);
	return true;
}

/*
 * gs_key_learn_members: the members of a column whose key says something of the
 * rows, to be learned by their lanes, in the current context; NULL: there are
 * none.
 *
 * view: its texts are still there
 */
GsDocuments *
gs_key_learn_members(LaneView *view)
{
	const GsKey *key = view->column->key;
	GsSlotReader reader = {.form = key->form,.read = read_form};
	GsDocuments *slots;

	if (key->place == 0)
		return NULL;
	slots = palloc0(sizeof(GsDocuments));
	slots->nmembers = key->form->nslots;
	slots->member = palloc0(sizeof(GsColumn) * slots->nmembers);
	slots->lane = palloc0(sizeof(GsLane) * slots->nmembers);
	for (int m = 0; m < slots->nmembers; m++)
		gs_member_init(&slots->member[m], view->column, key->form->slot[m],
					   JSON_STRING);
	gs_slots_fill(slots, view, &reader);
	/* texts of another form tell nothing */
	for (int64 row = 0; row < view->nrows; row++)
		slots->unknown[row] |= is_absent(&slots->lane[0], row) &&
			!is_absent(view->lane, row);
	return slots;
}

/*
 * gs_key_text_number: the number in a text of a key that has it beside others:
 * its run of digits after so many others.  Returns false where there is none.
 */
bool
gs_key_text_number(const GsKey *key, const char *text, int len, int64 *number)
{
	char		classes[GS_KEY_MAX_PATTERN + 1];
	GsToken		run[GS_MAX_SLOTS];
	int			n = read_runs(text, len, classes, run);
	int			skipped = 0;

	for (int k = 0; k < n; k++)
	{
		if (class_of(*run[k].text) != CLASS_DIGITS || skipped++ < key->runs)
			continue;
		if (run[k].len > MAX_DIGITS)
			return false;
		*number = strtoll(run[k].text, NULL, 10);
		return true;
	}
	return false;
}

/*
 * gs_key_slots: how many members a key's texts have, by their literals; -1 if
 * these are not NUL-ended.
 */
int
gs_key_slots(const GsKey *key)
{
	int			n = -2;

	if (key->text_bytes == 0 || key->text[key->text_bytes - 1] != '\0')
		return -1;
	for (int i = 0; i < key->text_bytes; i++)
		n += key->text[i] == '\0';
	return n;
}

/*
 * gs_key_groups: for each row of a batch its group: rows of different members
 * have different ones, but for chance.
 *
 * group: [GS_BATCH], filled
 */
void
gs_key_groups(const GsSchema *schema, const GsColumn *column,
			  const GsBatch *batch, uint64 *group)
{
	memset(group, 0, sizeof(uint64) * GS_BATCH);
	for (int m = 0; m < column->nmembers; m++)
		for (int row = 0; row < GS_BATCH; row++)
		{
			const char *text = gs_member_text(schema, column, m, batch, row);

			group[row] = gs_format_hash(text, strlen(text), group[row]);
		}
}

/*
 * gs_key_slots_write: appends the text of a row of members that has a number.
 *
 * digits: the number, written as it is to be
 */
void
gs_key_slots_write(const GsSchema *schema, const GsColumn *column,
				   const GsBatch *batch, int row, const char *digits,
				   StringInfo out)
{
	const char *literal = column->key->text;
	int			m = 0;

	for (int slot = 0; slot <= column->nmembers; slot++)
	{
		appendStringInfoString(out, literal);
		literal += strlen(literal) + 1;
		if (slot == column->key->place - 1)
			appendStringInfoString(out, digits);
		else
			appendStringInfoString(out, gs_member_text(schema, column, m++,
													   batch, row));
	}
	appendStringInfoString(out, literal);
}
