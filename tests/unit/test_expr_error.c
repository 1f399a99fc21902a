/*
 * What is wrong is said, with line, column, word and a suggestion.
 */
#include "tests/unit/expr_rows.h"

static const struct expr_case cases[] = {
	{ "JSONLength(payload)", "5 | 2 | null" },
	{ "round(d)", "12 | -100000000 | null" },
	{ "round(d, 1)", "12.3 | -100000000 | null" },
	{ "floor(d)", "12 | -100000000 | null" },
	{ "payload->'list'->-1", "null | null | null" },
	{ "payload->'list'->2 IS NULL", "true | true | true" },
	{ "JSONExtractString('{\"a\":\"x\\u0041\\ud83d\\ude00\\ud800\"}', 'a')",
	  "\"xA\360\237\230\200\357\277\275\" | \"xA\360\237\230\200\357\277\275\" | "
	  "\"xA\360\237\230\200\357\277\275\"" },
	{ "E'\\u00e9\\x41'", "\"\303\251A\" | \"\303\251A\" | \"\303\251A\"" },
	{ "statu = 'FAILED'",
	  "error 7 at 1:1 [statu] there is no column `statu` in demo; did you mean `status`?" },
	{ "input", "error 7 at 1:1 [input] there is no column `input` in demo" },
	{ "stat",
	  "error 7 at 1:1 [stat] there is no column `stat` in demo; did you mean `status`?" },
	{ "lenght(s)",
	  "error 7 at 1:1 [lenght] there is no function `lenght`; did you mean `length`?" },
	{ "now(1, 2, 3)", "error 7 at 1:1 [now] now() takes 0 to 1 arguments, not 3" },
	{ "count(*)",
	  "error 7 at 1:1 [count] count() is an aggregate, and aggregates are not allowed here" },
	{ "count(DISTINCT s)",
	  "error 7 at 1:1 [count] count() is an aggregate, and aggregates are not allowed here" },
	{ "sum(n) + 1",
	  "error 7 at 1:1 [sum] sum() is an aggregate, and aggregates are not allowed here" },
	{ "length(5)",
	  "error 7 at 1:8 [5] argument 1 of length() must be text, and this is Int64" },
	{ "length()", "error 7 at 1:1 [length] length() takes 1 argument, not 0" },
	{ "substring(s)", "error 7 at 1:1 [substring] substring() takes 2 to 3 arguments, not 1" },
	{ "substring(s, 'a')",
	  "error 7 at 1:14 ['a'] argument 2 of substring() must be a whole number, and this is "
	  "String" },
	{ "1 +", "error 7 at 1:4 [] the expression ends where a value is wanted" },
	{ "(1 + 2", "error 7 at 1:7 [] the expression ends where `)` is wanted" },
	{ "1 2", "error 7 at 1:3 [2] an operator or the end is wanted here" },
	{ "a = b = c", "error 7 at 1:7 [=] comparisons do not chain: join them with AND" },
	{ "n < 1 < 2", "error 7 at 1:7 [<] comparisons do not chain: join them with AND" },
	{ "'abc", "error 7 at 1:1 ['abc] string without end: a quote ' is missing" },
	{ "\"abc", "error 7 at 1:1 [\"abc] quoted name without end" },
	{ "/* abc", "error 7 at 1:1 [/* abc] comment without end: `*/` is missing" },
	{ "1 ++", "error 7 at 1:5 [] the expression ends where a value is wanted" },
	{ "n = $x$abc$y$", "error 7 at 1:5 [$x$abc$y$] this dollar-quoted text has no end" },
	{ "n = $1", "error 7 at 1:5 [$1] parameters are not supported: write the value" },
	{ "n; 1", "error 7 at 1:2 [; 1] an expression ends before a semicolon" },
	{ "CASE WHEN b THEN 1", "error 7 at 1:19 [] END is wanted here" },
	{ "CASE 1 END", "error 7 at 1:8 [END] WHEN is wanted here" },
	{ "CASE n", "error 7 at 1:7 [] WHEN is wanted here" },
	{ "CAST(n AS)", "error 7 at 1:10 [)] a type is wanted here" },
	{ "CAST(n Int32)", "error 7 at 1:8 [Int32] AS is wanted here" },
	{ "n::", "error 7 at 1:4 [] a type is wanted here" },
	{ "n IN ()", "error 7 at 1:7 [)] a value is wanted here" },
	{ "n IN (SELECT 1)", "error 7 at 1:7 [SELECT] a SELECT inside IN is not supported" },
	{ "n IN 5", "error 7 at 1:6 [5] a list in parentheses is wanted here" },
	{ "n BETWEEN 1", "error 7 at 1:12 [] AND is wanted here" },
	{ "s LIKE", "error 7 at 1:7 [] the expression ends where a value is wanted" },
	{ "s LIKE 5",
	  "error 7 at 1:3 [LIKE] patterns match text, and this is Int64: toString(x) makes text"
	  " of it" },
	{ "n LIKE 'x'",
	  "error 7 at 1:3 [LIKE] patterns match text, and this is Int32: toString(x) makes text"
	  " of it" },
	{ "n IS 5", "error 7 at 1:6 [5] after IS: NULL, TRUE, FALSE or DISTINCT FROM" },
	{ "(SELECT 1)", "error 7 at 1:2 [SELECT] a SELECT inside an expression is not supported" },
	{ "(1, 2)", "error 7 at 1:3 [,] tuples are not supported" },
	{ "*", "error 7 at 1:1 [*] a value is wanted here" },
	{ "n.*", "error 7 at 1:1 [n] `*` stands for columns only in count(*)" },
	{ "12abc",
	  "error 7 at 1:1 [12abc] this is neither a number nor a name; names that begin with a "
	  "digit need \"quotes\"" },
	{ "1.2.3",
	  "error 7 at 1:1 [1.2.3] this is neither a number nor a name; names that begin with a "
	  "digit need \"quotes\"" },
	{ "@n", "error 7 at 1:1 [@n] this character has no meaning here" },
	{ "and",
	  "error 7 at 1:1 [and] this word has a meaning of its own: a column of that name needs"
	  " \"quotes\"" },
	{ "not", "error 7 at 1:4 [] the expression ends where a value is wanted" },
	{ "NOT s",
	  "error 7 at 1:5 [s] a condition is wanted here, and this is String: compare it with s"
	  "omething" },
	{ "s AND b",
	  "error 7 at 1:1 [s] a condition is wanted here, and this is String: compare it with s"
	  "omething" },
	{ "n + 'x'", "error 7 at 1:5 ['x'] this is not a number" },
	{ "ts + s", "error 7 at 1:4 [+] there is no such arithmetic with DateTime and String" },
	{ "tags + 1", "error 7 at 1:6 [+] a number is wanted, and this is Array(String)" },
	{ "tags = 'a'",
	  "error 7 at 1:8 ['a'] text is converted to an array or map only when empty: '{}' or '"
	  "[]'" },
	{ "attrs = attrs", "true | true | true" },
	{ "payload = 'x'", "false | false | null" },
	{ "id = 5",
	  "error 7 at 1:4 [=] UUID cannot be compared with Int64; write the number in 'quotes',"
	  " or convert with ::" },
	{ "status = 'queued'",
	  "error 7 at 1:10 ['queued'] 'queued' is no value of this enum; did you mean `QUEUED`?" },
	{ "ts > 5", "error 7 at 1:4 [>] DateTime cannot be compared with Int64; "
		    "write the time in 'quotes', or toDateTime(n) for seconds since 1970" },
	{ "ts > s", "error 7 at 1:4 [>] DateTime cannot be compared with String" },
	{ "if(b, 1)", "error 7 at 1:1 [if] if() takes 3 arguments, not 2" },
	{ "if(s, 1, 2)",
	  "error 7 at 1:1 [if] a condition is wanted here, and this is String: compare it with "
	  "something" },
	{ "multiIf(b, 1, b, 2)",
	  "error 7 at 1:1 [multiIf] multiif() takes conditions and values in pairs, and a value"
	  " for all other rows" },
	{ "coalesce()", "error 7 at 1:1 [coalesce] coalesce() takes 1 argument or more, not 0" },
	{ "greatest(1, 'a')",
	  "error 7 at 1:1 [greatest] these values have no common type: Int64 and String" },
	{ "nullIf(1, 'x')", "error 7 at 1:11 ['x'] this is not a number" },
	{ "INTERVAL 1 DAY + 1",
	  "error 7 at 1:16 [+] there is no such arithmetic with INTERVAL and Int64" },
	{ "INTERVAL 1 DAY = 5", "false | false | false" },
	{ "[INTERVAL 1 DAY]", "error 7 at 1:1 [[] an interval has no place here" },
	{ "toInt32(tags)", "error 7 at 1:1 [toInt32] Array(String) cannot be converted to Int32" },
	{ "toDateTime64(ts, 10)",
	  "error 7 at 1:18 [10] the number of digits is a constant from 0 to 9" },
	{ "toDateTime64(ts, n)",
	  "error 7 at 1:18 [n] the number of digits is a constant from 0 to 9" },
	{ "'a'::Enum8('b' = 1)::Int8", "error 7 at 1:1 ['a'] 'a' is no value of this enum" },
	{ "1::Decimal(50, 2)",
	  "error 7 at 1:2 [::] this is not a type that values can be converted to: the precisio"
	  "n must be from 1 to 38" },
	{ "1::serial", "error 7 at 1:2 [::] this is not a type that values can be converted to" },
	{ "1::Int32, 2", "error 7 at 1:9 [,] an operator or the end is wanted here" },
	{ "CAST(1, 'Int32) x (')", "error 7 at 1:1 [CAST] this is not a type" },
	{ "match(s, '[')", "error 7 at 1:10 ['['] a [ is not closed" },
	{ "match(s, 'a{1000}{1000}')",
	  "error 7 at 1:10 ['a{1000}{1000}'] the pattern repeats too often" },
	{ "1e999", "error 7 at 1:1 [1e999] this number is out of range" },
	{ "123456789012345678901234567890123456789",
	  "error 7 at 1:1 [123456789012345678901234567890123456789] this number is out of range" },
	{ "has(n, 1)", "error 7 at 1:1 [has] has() wants an array" },
	{ "mapKeys(tags)", "error 7 at 1:1 [mapKeys] mapkeys() wants a map" },
	{ "tags['x']", "error 7 at 1:5 [[] an array's elements are numbered from 1" },
	{ "n[1]", "error 7 at 1:2 [[] [ ] takes an array, a map or JSON, and this is Int32" },
	{ "EXTRACT(foo FROM ts)",
	  "error 7 at 1:9 [foo] extract() wants a unit in 'quotes': second, minute, hour, day, "
	  "week, month, quarter, year" },
	{ "EXTRACT(YEAR ts)", "error 7 at 1:14 [ts] FROM is wanted here" },
	{ "position('a')",
	  "error 7 at 1:13 [)] write position(text, needle) or position(needle IN text)" },
	{ "date_trunc('day', n)",
	  "error 7 at 1:19 [n] argument 2 of date_trunc() must be a time, and this is Int32" },
	{ "toStartOfHour('x')",
	  "error 7 at 1:15 ['x'] this text is not a time of the type, such as 2024-01-31 or 202"
	  "4-01-31T12:00:00Z" },
	{ "toMonday(s)",
	  "error 7 at 1:10 [s] argument 1 of toMonday() must be a time, and this is String" },
	{ "ESCAPE", "error 7 at 1:1 [ESCAPE] there is no column `ESCAPE` in demo" },
	{ "s LIKE 'a' ESCAPE 'ab'",
	  "error 7 at 1:19 ['ab'] ESCAPE wants a string of one ASCII character" },
	{ "_extra", "null | null | null" },
	{ "_extra IS NULL", "true | true | true" },
	{ "db.n", "error 7 at 1:1 [db.n] there is no column `db` in demo" },
	{ "n.n.n", "error 7 at 1:1 [n.n.n] `n` is of type Int32: it has no parts" },
};

int main(void)
{
	if (expr_setup())
		expr_cases(cases, sizeof(cases) / sizeof(cases[0]));
	else
		t_check("setup", false);
	expr_teardown();
	return t_done();
}
