package selector

import "testing"

// clause checks a row a selector: whether it is 'T'rue, 'F'alse or 'U'nknown of
// the sample, where false and unknown show in NOT; or an 'E'rror.
func clause(t *testing.T, rows map[string]rune) {
	t.Helper()
	for text, want := range rows {
		s, err := Parse(text)
		if (err != nil) != (want == 'E') {
			t.Errorf("%s: %v, want %c", text, err, want)
		}
		if err != nil {
			continue
		}
		opposite, err := Parse("NOT (" + text + ")")
		if err != nil {
			t.Errorf("NOT (%s): %v", text, err)
			continue
		}
		got := 'U'
		switch yes, no := s.Match(sample), opposite.Match(sample); {
		case yes && no:
			t.Errorf("%s: both it and its opposite pass", text)
		case yes:
			got = 'T'
		case no:
			got = 'F'
		}
		if got != want {
			t.Errorf("%s: %c, want %c", text, got, want)
		}
		if s.String() != text {
			t.Errorf("%q calls itself %q", text, s)
		}
	}
}

// jms 3.8.1.1, Literals: strings.
func TestClauseStringLiterals(t *testing.T) {
	clause(t, map[string]rune{
		"u = 'it''s 100%'": 'T', "s = '12F3'": 'T', "s = '12f3'": 'F', "empty = ''": 'T', "'''' = ''''": 'T', "'a''b' = 'a''b'": 'T',
		"$x_1 = 'é'": 'T', "'a' = 'a'": 'T', "'a' = 'a '": 'F', "s = ' 12F3'": 'F', "'AND' = 'AND'": 'T', "u = '\\'": 'F',
	})
}

// jms 3.8.1.1, Literals: exact ones, in the syntax of Java's integer literals.
func TestClauseExactLiterals(t *testing.T) {
	clause(t, map[string]rune{
		"a = 5": 'T', "a = +5": 'T', "-a = -5": 'T', "a = 5L": 'T', "5l = a": 'T', "0x10 = 16": 'T', "0XfF = 255": 'T', "0xFFL = 255": 'T', "010 = 8": 'T', "00 = 0": 'T', "0_7 = 7": 'T',
		"0b101 = a": 'T', "1_000 = 1000": 'T', "0x1_0 = 16": 'T', "9223372036854775807 = max": 'T', "-9223372036854775808 = min": 'T', "-9223372036854775808L = min": 'T',
		"- 9223372036854775808 < 0": 'T', "0xFFFFFFFFFFFFFFFF = -1": 'T', "0x8000000000000000 = min": 'T', "01777777777777777777777 = -1": 'T', "0xE-1 = 13": 'T', "1-1 = 0": 'T', "0x1f = 31": 'T',
	})
}

// jms 3.8.1.1, Literals: approximate ones, in the syntax of Java's floating
// point literals; one with f has the precision of a float.
func TestClauseApproximateLiterals(t *testing.T) {
	clause(t, map[string]rune{
		"f = 2.5": 'T', "f = 2.5d": 'T', "f = 2.5F": 'T', "f = 25e-1": 'T', "f = .25E1": 'T', "f = .25E+1": 'T', "7. = 7": 'T', "7.f = 7": 'T', "7.e0 = 7": 'T', "7d = 7": 'T', "7f = 7.0": 'T',
		"1e3 = 1000": 'T', "7E3 = 7000": 'T', "-57.9e2 = -5790": 'T', "010d = 10": 'T', "08e1 = 80": 'T', "1_0.2_5 = 10.25": 'T', "0x1p3 = 8": 'T', "0x1.8p1 = 3": 'T', "0x.8p0f = 0.5": 'T', "0x1.P-1 = .5": 'T',
		"single = 0.1f": 'T', "single = 0.1": 'F', "0.1 = 0.1f": 'F', "1e308 < 1.7976931348623157E308": 'T', "1e-400 = 0": 'T', "+2.5 = f": 'T',
	})
}

// jms 3.8.1.1, Literals: booleans, and reserved words in any case.
func TestClauseBooleanLiteralsAndReservedWords(t *testing.T) {
	clause(t, map[string]rune{
		"TRUE": 'T', "false": 'F', "t = True": 'T', "t = FALSE": 'F', "NOT FALSE": 'T', "a = 5 and t": 'T', "a = 4 oR t": 'T', "nOt t": 'F', "a between 1 And 5": 'T',
		"s like '1%'": 'T', "s Is Not Null": 'T', "s in ('12F3')": 'T', "s lIke '1!%' esCape '!'": 'F',
	})
}

// jms 3.8.1.1, Identifiers: Java's, case-sensitive, never a reserved word.
func TestClauseIdentifiers(t *testing.T) {
	clause(t, map[string]rune{
		"a = 5": 'T', "A = 50": 'T', "größe = 7": 'T', "GRÖSSE IS NULL": 'T', "$x_1 = 'é'": 'T', "_ IS NULL": 'T', "€uro IS NULL": 'T', "a1$_é IS NULL": 'T', "변수 IS NULL": 'T',
		"x\u0301 IS NULL": 'T', "Ⅷ IS NULL": 'T', "a‿b IS NULL": 'T', "notable IS NULL": 'T', "AND_ IS NULL": 'T', "order IS NULL": 'T',
		// Unicode's upper case of these would be reserved words
		"\u0131n IS NULL": 'T', "fal\u017fe IS NULL": 'T',
	})
}

// jms 3.8.1.1, Identifiers: header fields are those that the content answers.
func TestClauseHeaderFields(t *testing.T) {
	clause(t, map[string]rune{
		"JMSPriority < 5": 'T', "JMSPriority BETWEEN 4 AND 9": 'T', "JMSDeliveryMode = 'PERSISTENT'": 'T', "JMSDeliveryMode = 2": 'F', "JMSTimestamp >= 1700000000000": 'T', "JMSMessageID LIKE 'ID:%'": 'T',
		"JMSCorrelationID = 'x'": 'U', "JMSType IS NULL": 'T', "JMSXGroupID = 'g'": 'T', "JMS_TIBCO_X = 1": 'T', "jmspriority IS NULL": 'T',
	})
}

// jms 3.8.1.1, White space: space, tab, form feed, line ends; or none.
func TestClauseWhiteSpace(t *testing.T) {
	clause(t, map[string]rune{
		" a\t=\f5\r\n": 'T', "a=5AND t": 'E', "a=5 AND(t)": 'T', "(a)=(5)": 'T', "a=5\nAND\nNOT(no)": 'T', "s='12F3'AND t": 'T', "s IN('12F3')": 'T', "a<>5": 'F', "a<-5": 'F', "f*-2<0": 'T',
	})
}

// jms 3.8.1.1, Expressions: brackets, and the precedence of operators.
func TestClausePrecedence(t *testing.T) {
	clause(t, map[string]rune{
		"t OR t AND no": 'T', "(t OR t) AND no": 'F', "NOT no AND no": 'F', "NOT (no AND no)": 'T', "NOT a = 4": 'T', "NOT NOT t": 'T', "no AND no OR t": 'T', "t OR no AND no": 'T',
		"1 + 2 * 3 = 7": 'T', "(1 + 2) * 3 = 9": 'T', "10 - 4 - 3 = 3": 'T', "100 / 10 / 5 = 2": 'T', "2 * 3 / 4 = 1": 'T', "-2 * -3 = 6": 'T', "- 2 + 3 = 1": 'T', "2 - -3 = a": 'T', "- - -a = -5": 'T', "+ + a = 5": 'T',
		"a = 2 + 3 AND f = 5 / 2.0": 'T', "((((a)))) = ((5))": 'T', "a + 1 BETWEEN 2 * 3 AND 3 * 3": 'T', "(a = 5) = t": 'T', "(a = 5) <> (f = 2.5)": 'F', "a = 5 = no": 'E',
	})
}

// jms 3.8.1.1, Comparison operators: like types; unlike ones are false, whatever
// the operator; strings and booleans only = and <>.
func TestClauseComparison(t *testing.T) {
	clause(t, map[string]rune{
		"a = 5": 'T', "a <> 5": 'F', "a <> 4": 'T', "a > 4": 'T', "a > 5": 'F', "a >= 5": 'T', "a < 5": 'F', "a < 6": 'T', "a <= 5": 'T', "a <= 4": 'F',
		"s = 's'": 'F', "s <> 's'": 'T', "t = TRUE": 'T', "t <> TRUE": 'F', "no <> t": 'T',
		"a = '5'": 'F', "a <> '5'": 'F', "s = 12": 'F', "s <> 12": 'F', "t = 'true'": 'F', "t <> 1": 'F', "t = a": 'F', "a > s": 'F', "a <= s": 'F', "5 = '5'": 'F',
		"s < u": 'F', "s >= s": 'F', "t <= no": 'F', "t >= t": 'F', "bin = 1": 'F', "bin <> 1": 'F', "bin = bin": 'F', "bin <> bin": 'F', "bin < 1": 'F',
	})
}

// jms 3.8.1.1: exact and approximate numbers compare by Java's promotion, which
// takes a long to the nearest double.
func TestClauseNumericPromotion(t *testing.T) {
	clause(t, map[string]rune{
		"a = 5.0": 'T', "a > 4.9": 'T', "f > 2": 'T', "f < 3": 'T', "f = 2": 'F', "big = 9007199254740993": 'T', "big = 9007199254740992": 'F', "big = 9007199254740992.0": 'T',
		"max = 9223372036854775807": 'T', "max = 9223372036854775806": 'F', "max = 9223372036854775806.0": 'T', "max < 9.3e18": 'T', "min = -9.223372036854775808e18": 'T', "0 = -0.0": 'T', "0.0 = -0.0": 'T',
	})
}

// jms 3.8.1.1, Arithmetic operators, in Java's long and double.
func TestClauseArithmetic(t *testing.T) {
	clause(t, map[string]rune{
		"a + 1 = 6": 'T', "a - 7 = -2": 'T', "a * 2 = 10": 'T', "a / 2 = 2": 'T', "-a / 2 = -2": 'T', "a / 2.0 = f": 'T', "f * 2 = a": 'T', "f + a = 7.5": 'T', "a - f = f": 'T', "f / a = 0.5": 'T', "1 / 3 * 3 = 1": 'F',
		"max + 1 = min": 'T', "min - 1 = max": 'T', "-min = min": 'T', "max * 2 = -2": 'T', "min / -1 = min": 'T', "max + 1.0 >= max - 1": 'T',
		"a / 0 = 1": 'U', "a / zero = 1": 'U', "a / 0.0 > max": 'T', "-a / 0.0 < min": 'T', "a / -0.0 < min": 'T', "a / -(0.0) < min": 'T', "0.0 / 0 = 0.0 / 0": 'F', "0.0 / 0 <> 0.0 / 0": 'T', "0.0 / 0 >= 0": 'F',
		"s + 1 = 2": 'U', "1 + t = 2": 'U', "-s = 1": 'U', "+s = '12F3'": 'U', "+t": 'E', "bin * 2 = 2": 'U', "a * 2 + s = 1": 'U', "s * 2 + a = 1": 'U',
	})
}

// jms 3.8.1.1, BETWEEN, is what it is called equivalent to.
func TestClauseBetween(t *testing.T) {
	clause(t, map[string]rune{
		"a BETWEEN 5 AND 9": 'T', "a BETWEEN 1 AND 5": 'T', "a BETWEEN 6 AND 9": 'F', "a BETWEEN 9 AND 1": 'F', "a NOT BETWEEN 1 AND 5": 'F', "a NOT BETWEEN 6 AND 9": 'T', "NOT a BETWEEN 6 AND 9": 'T',
		"f BETWEEN 2 AND 3": 'T', "2 BETWEEN 1 AND f": 'T', "a BETWEEN f AND f * 2": 'T', "a BETWEEN 1 AND 5 AND t": 'T', "a BETWEEN -9 AND -1": 'F',
		"s BETWEEN 1 AND 2": 'F', "s NOT BETWEEN 1 AND 2": 'F', "a BETWEEN s AND 9": 'F', "missing BETWEEN 1 AND 2": 'U', "missing NOT BETWEEN 1 AND 2": 'U',
		"a BETWEEN missing AND 9": 'U', "a BETWEEN missing AND 4": 'F', "a BETWEEN 6 AND missing": 'F', "a NOT BETWEEN 6 AND missing": 'T', "a NOT BETWEEN missing AND 9": 'U',
	})
}

// jms 3.8.1.1, IN, is what it is called equivalent to.
func TestClauseIn(t *testing.T) {
	clause(t, map[string]rune{
		"s IN ('x', '12F3')": 'T', "s IN ('x')": 'F', "s NOT IN ('x', 'y')": 'T', "s NOT IN ('12F3')": 'F', "s IN ('12F3','12F3')": 'T', "empty IN ('')": 'T', "u IN ('it''s 100%')": 'T', "(s) IN ('12F3')": 'T',
		"a IN ('5')": 'F', "a NOT IN ('5')": 'T', "missing IN ('x')": 'U', "missing NOT IN ('x')": 'U', "NOT s IN ('x')": 'T',
	})
}

// jms 3.8.1.1, LIKE, with the examples of the specification.
func TestClauseLike(t *testing.T) {
	phone := func(n string) props { return props{"phone": str(n), "word": str(n), "underscored": str(n)} }
	for _, c := range []struct {
		text string
		yes  []string
		no   []string
	}{
		{"phone LIKE '12%3'", []string{"123", "12993"}, []string{"1234", "12", "0123"}},
		{"word LIKE 'l_se'", []string{"lose", "l_se", "lése", "l😀se"}, []string{"loose", "lse", "Lose"}},
		{`underscored LIKE '\_%' ESCAPE '\'`, []string{"_foo", "_"}, []string{"bar", "foo_", ""}},
		{"phone LIKE '%'", []string{"", "x", "two\nlines"}, nil},
		{"phone LIKE ''", []string{""}, []string{"x"}},
		{"phone LIKE '_'", []string{"x", "é", "%"}, []string{"", "xx"}},
		{"phone LIKE '%a%b%'", []string{"ab", "xaxbx", "aab", "bab"}, []string{"ba", "a", "b"}},
		{"phone LIKE '%ab'", []string{"ab", "aab", "abab"}, []string{"aba"}},
		{"phone LIKE '__%'", []string{"ab", "abc"}, []string{"a", ""}},
		{"phone LIKE '!!!%!_' ESCAPE '!'", []string{"!%_"}, []string{"!x_", "!%x"}},
		{"phone LIKE '!a' ESCAPE '!'", []string{"a"}, []string{"!a"}},
		{"phone LIKE '%%%' ESCAPE '%'", []string{}, []string{}},
		{"phone LIKE 'a%%' ESCAPE '%'", []string{"a%"}, []string{"a", "ab"}},
		{"phone LIKE '___' ESCAPE '_'", []string{}, []string{}},
		{"phone LIKE 'x''%' ESCAPE ''''", []string{"x%"}, []string{"xy"}},
		{"phone LIKE 'é%' ESCAPE 'é'", []string{"%"}, []string{"é"}},
		{"phone LIKE 'a.*[b]'", []string{"a.*[b]"}, []string{"aab"}},
	} {
		s, err := Parse(c.text)
		if len(c.yes)+len(c.no) == 0 { // ends in its escape character
			if err == nil {
				t.Errorf("%s is accepted", c.text)
			}
			continue
		}
		if err != nil {
			t.Errorf("%s: %v", c.text, err)
			continue
		}
		for i, v := range append(c.yes, c.no...) {
			if got := s.Match(phone(v)); got != (i < len(c.yes)) {
				t.Errorf("%s of %q: %v", c.text, v, got)
			}
		}
	}
	clause(t, map[string]rune{
		"s LIKE '12%3'": 'T', "s NOT LIKE '1%'": 'F', "s NOT LIKE '2%'": 'T', "u LIKE '%100!%' ESCAPE '!'": 'T', "missing LIKE '%'": 'U', "missing NOT LIKE '%'": 'U', "a LIKE '5'": 'F', "a NOT LIKE '5'": 'T', "t LIKE '%'": 'F',
	})
}

// jms 3.8.1.1, IS NULL: a missing property or header field.
func TestClauseIsNull(t *testing.T) {
	clause(t, map[string]rune{
		"missing IS NULL": 'T', "missing IS NOT NULL": 'F', "a IS NULL": 'F', "a IS NOT NULL": 'T', "bin IS NULL": 'F', "empty IS NULL": 'F', "(missing) IS NULL": 'T', "NOT missing IS NULL": 'F',
	})
}

// jms 3.8.1.2: NULL, and the tables of AND, OR and NOT.
func TestClauseNullValues(t *testing.T) {
	value := map[rune]string{'T': "t", 'F': "no", 'U': "missing"}
	rows := map[string]rune{}
	for _, r := range []struct {
		l, r, and, or rune
	}{
		{'T', 'T', 'T', 'T'},
		{'T', 'F', 'F', 'T'},
		{'T', 'U', 'U', 'T'},
		{'F', 'T', 'F', 'T'},
		{'F', 'F', 'F', 'F'},
		{'F', 'U', 'F', 'U'},
		{'U', 'T', 'U', 'T'},
		{'U', 'F', 'F', 'U'},
		{'U', 'U', 'U', 'U'},
	} {
		rows[value[r.l]+" AND "+value[r.r]] = r.and
		rows[value[r.l]+" OR "+value[r.r]] = r.or
		rows["("+value[r.l]+" = TRUE) AND ("+value[r.r]+" = TRUE) AND t"] = r.and
	}
	clause(t, rows)
	clause(t, map[string]rune{
		"NOT t": 'F', "NOT no": 'T', "NOT missing": 'U', "missing = 1": 'U', "missing <> 1": 'U', "missing = missing": 'U', "missing < 'x' + 0": 'E', "missing + 1 = 1": 'U', "1 - missing > 0": 'U', "-missing = 1": 'U',
		"missing = 'x'": 'U', "missing = s": 'U', "missing = bin": 'U', "(missing = 1) = TRUE": 'U', "s AND t": 'U', "a OR t": 'T', "a OR no": 'U', "NOT s": 'U',
	})
}

// jms 3.8.1.3: the delivery mode is a string, there are no comments and no
// fixed decimals.
func TestClauseSpecialNotes(t *testing.T) {
	clause(t, map[string]rune{"JMSDeliveryMode = 'NON_PERSISTENT'": 'F', "JMSDeliveryMode <> 'NON_PERSISTENT'": 'T', "1.10 = 1.1": 'T', "0.1 + 0.2 = 0.3": 'F', "a = 5 --a": 'F'})
	for _, text := range []string{"a = 5 -- the five", "/* five */ a = 5"} {
		if _, err := Parse(text); err == nil {
			t.Errorf("%s is accepted", text)
		}
	}
}
