/*
 * key_copy.c
 *	  Columns of a public table, whose rows are copied as they are.
 *
 * A look-up table has too few rows to learn from, and nothing in it is to be
 * protected: row i is the source's row i.  Where no column is unique, rows
 * begin anew after the last.
 *
 * A copy's text holds its rows one after the other, each ended by NUL: 'n' for
 * NULL, or 'v' and the value as its type writes it.
 */
#include "postgres.h"

#include "mb/pg_wchar.h"
#include "utils/lsyscache.h"

#include "codec/styles.h"
#include "key/key.h"

#define MAX_COPY_BYTES	(16 * 1024 * 1024)	/* of one column */

struct GsCopies
{
	int			ncolumns;
	GsColumn   *columns;
	StringInfo	text;			/* [ncolumns] */
	int64		rows;
	bool		full;
};

/*
 * gs_copies_begin: prepares to copy rows of a public source, in the current
 * context.
 */
GsCopies *
gs_copies_begin(GsColumn *columns, int ncolumns)
{
	GsCopies   *copies = palloc0(sizeof(GsCopies));

	copies->columns = columns;
	copies->ncolumns = ncolumns;
	copies->text = palloc(sizeof(StringInfoData) * ncolumns);
	for (int c = 0; c < ncolumns; c++)
		initStringInfo(&copies->text[c]);
	return copies;
}

/*
 * gs_copies_put: copies one row more, under the settings of gs_fix_styles, in
 * a context that is reset after it.
 */
void
gs_copies_put(GsCopies *copies, const Datum *values, const bool *nulls)
{
	copies->full |= ++copies->rows > GS_KEY_MAX_COPIES;
	for (int c = 0; c < copies->ncolumns && !copies->full; c++)
	{
		StringInfo	text = &copies->text[c];

		appendStringInfoChar(text, nulls[c] ? 'n' : 'v');
		if (!nulls[c])
			appendStringInfoString(text,
								   OutputFunctionCall(&copies->columns[c].codec.output,
													  values[c]));
		appendStringInfoChar(text, '\0');
		copies->full |= text->len > MAX_COPY_BYTES;
	}
}

/*
 * gs_copies_end: makes keys of the columns.  Returns false if there were too
 * many rows to copy, or too long ones.
 */
bool
gs_copies_end(GsCopies *copies)
{
	for (int c = 0; c < copies->ncolumns; c++)
	{
		GsKey	   *key;

		if (copies->full)
		{
			pfree(copies->text[c].data);
			continue;
		}
		key = palloc0(sizeof(GsKey));
		key->kind = GS_KEY_COPY;
		key->width = (int) copies->rows;
		key->space = copies->columns[c].unique ? copies->rows :
			PG_UINT64_MAX;
		key->text = copies->text[c].data;
		key->text_bytes = copies->text[c].len;
		copies->columns[c].key = key;
	}
	return !copies->full;
}

/*
 * gs_copy_fits: whether the rows of a copy are texts that are NULL or a value.
 */
bool
gs_copy_fits(const GsKey *key)
{
	const char *at = key->text;

	if (key->width < 1 || key->width > GS_KEY_MAX_COPIES ||
		(key->space != key->width && key->space != PG_UINT64_MAX))
		return false;
	for (int i = 0; i < key->width; i++, at += strlen(at) + 1)
		if ((*at != 'v' && *at != 'n') || (*at == 'n' && at[1] != '\0'))
			return false;
	return true;
}

/*
 * gs_copy_values: the values of a copy, in the current context.
 *
 * values, nulls: [key->width], filled.  Errors: those of the type's input.
 */
void
gs_copy_values(const GsColumn *column, Datum *values, bool *nulls)
{
	const GsKey *key = column->key;
	const char *at = key->text;
	int			level = gs_fix_styles();
	Oid			input;
	Oid			param;
	FmgrInfo	function;

	getTypeInputInfo(column->type, &input, &param);
	fmgr_info(input, &function);
	for (int i = 0; i < key->width; i++, at += strlen(at) + 1)
	{
		nulls[i] = *at == 'n';
		values[i] = nulls[i] ? (Datum) 0 :
			InputFunctionCall(&function, unconstify(char *, at + 1), param,
							  column->typmod);
	}
	gs_end_settings(level);
}
