#include "engine/match/pattern.hpp"

#include <gtest/gtest.h>

#include <random>

namespace picket::engine {
namespace {

enum verdict { yes, no, error };

struct row {
  const char* id;
  const char* pattern;
  const char* input;
  verdict expected;
  std::int64_t r;
  std::vector<std::string> captures;
};

void PrintTo(const row& each, std::ostream* out) {
  *out << each.id << " " << each.pattern << " on " << each.input;
}

void check(language lang, const row& each) {
  auto compiled = pattern::compile(lang, each.pattern, {true, false});
  ASSERT_EQ(compiled.has_value(), each.expected != error);
  if (!compiled) {
    EXPECT_FALSE(compiled.error().empty());
    return;
  }
  match_scratch scratch;
  auto got = compiled->search(each.input, scratch);
  ASSERT_EQ(got.matched, each.expected == yes);
  if (got.matched) {
    EXPECT_EQ(got.r, each.r);
  }
  EXPECT_EQ(std::vector<std::string>(scratch.captures.begin(), scratch.captures.end()), each.captures);
}

class OsregexExamples : public ::testing::TestWithParam<row> {};
TEST_P(OsregexExamples, MatchAsSpecified) { check(language::osregex, GetParam()); }

class PcreExamples : public ::testing::TestWithParam<row> {};
TEST_P(PcreExamples, MatchAsSpecified) { check(language::pcre2, GetParam()); }

// clang-format off
// decoders.md 2.3.8
INSTANTIATE_TEST_SUITE_P(Specification, OsregexExamples, ::testing::Values(
  row{"R01", "a", "A", yes, 0, {}},
  row{"R02", "\303\211", "\303\251", no, 0, {}},
  row{"R03", "", "abc", yes, 0, {}},
  row{"R04", "", "", yes, 0, {}},
  row{"R05", "^", "abc", yes, 0, {}},
  row{"R06", "$", "abc", no, 0, {}},
  row{"R07", "$", "", yes, 0, {}},
  row{"R08", "^$", "", yes, 0, {}},
  row{"R09", "^$", "a", no, 0, {}},
  row{"R10", "abc$", "xabc", yes, 3, {}},
  row{"R11", "abc$", "abcabcx", no, 0, {}},
  row{"R12", "^^a", "^a", yes, 1, {}},
  row{"R13", "a^b", "a^b", yes, 2, {}},
  row{"R14", "a$b", "a$b", yes, 2, {}},
  row{"R15", "a+", "a+", yes, 1, {}},
  row{"R16", "a+", "aa", no, 0, {}},
  row{"R17", "\\d++", "12+", yes, 2, {}},
  row{"R18", "(\\d)+", "1+", yes, 1, {"1"}},
  row{"R19", "[ab]", "[ab]", yes, 3, {}},
  row{"R20", "a.c", "abc", no, 0, {}},
  row{"R21", "a\\.c", "axc", yes, 2, {}},
  row{"R22", "\\x", "x", error, 0, {}},
  row{"R23", "a\\", "a", error, 0, {}},
  row{"R24", "((a))", "a", error, 0, {}},
  row{"R25", "(a|b)", "a", error, 0, {}},
  row{"R26", ")a(", "a", error, 0, {}},
  row{"R27", "(a", "a", error, 0, {}},
  row{"R28", "\\w", "_", yes, 0, {}},
  row{"R29", "\\w", "-", yes, 0, {}},
  row{"R30", "\\w", "@", yes, 0, {}},
  row{"R31", "\\w", "\303", no, 0, {}},
  row{"R32", "\\W", "_", no, 0, {}},
  row{"R33", "\\W", "-", no, 0, {}},
  row{"R34", "\\W", "\303", yes, 0, {}},
  row{"R35", "\\s", "\t", no, 0, {}},
  row{"R36", "\\S", "\t", yes, 0, {}},
  row{"R37", "\\t", "\t", yes, 0, {}},
  row{"R38", "\\p", "/", no, 0, {}},
  row{"R39", "\\p", "^", no, 0, {}},
  row{"R40", "\\p", "#", yes, 0, {}},
  row{"R41", "\\D", "\377", yes, 0, {}},
  row{"R42", "\\d", "\331", no, 0, {}},
  row{"R43", "\\(a\\)", "(a)", yes, 2, {}},
  row{"R44", "\\|\\$\\<\\\\", "|$<\\", yes, 3, {}},
  row{"R45", "x|y", "by", yes, 1, {}},
  row{"R46", "y|x", "xy", yes, 1, {}},
  row{"R47", "a|", "zzz", yes, 0, {}},
  row{"R48", "a=(\\d)|b=(\\d) c=(\\d)", "b=2 c=3", yes, 6, {"2", "3"}},
  row{"R49", "\\d+", "123", yes, 0, {}}
), [](const auto& each) { return std::string(each.param.id); });
INSTANTIATE_TEST_SUITE_P(SpecificationContinued, OsregexExamples, ::testing::Values(
  row{"R50", "\\d+", "123 abc", yes, 3, {}},
  row{"R51", "(\\d+)", "123 abc", yes, 0, {"123"}},
  row{"R52", "(\\d+) ", "123 abc", yes, 3, {"123"}},
  row{"R53", "\\d*", "abc", yes, -1, {}},
  row{"R54", "^\\d*", "abc", yes, -1, {}},
  row{"R55", "\\d*", "", yes, 0, {}},
  row{"R56", "(\\d*)", "", yes, 0, {}},
  row{"R57", "\\d+", "", no, 0, {}},
  row{"R58", "\\d+$", "12", yes, 0, {}},
  row{"R59", "\\d+$", "12 ", no, 0, {}},
  row{"R60", "^\\d+$", "12a", no, 0, {}},
  row{"R61", "(\\.+)", "hello world", yes, 0, {"hello world"}},
  row{"R62", "(\\.+) world", "hello world", yes, 10, {"hello"}},
  row{"R63", "(\\.+) ", "a b c", yes, 1, {"a"}},
  row{"R64", "(\\.*) (\\.*)", "a b c", yes, 1, {"a", "b c"}},
  row{"R65", "(\\S+) (\\S+)", "aa bb cc", yes, 3, {"aa", "bb"}},
  row{"R66", "(\\w+)-(\\w+)", "ab-cd-ef", yes, 3, {"ab", "cd-ef"}},
  row{"R67", "(\\.+):(\\d+)", "a:b:12", yes, 4, {"a:b", "12"}},
  row{"R68", "(\\.*);", "=;;", yes, 1, {"="}},
  row{"R69", "=(\\w*);", "=;", yes, 1, {""}},
  row{"R70", "=(\\w+);", "=;", no, 0, {}},
  row{"R71", "user (\\S*) from", "user  from", yes, 9, {""}},
  row{"R72", "(a)(b)", "ab", no, 0, {}},
  row{"R73", "(a)(b)", "a(b", yes, 2, {"a"}},
  row{"R74", "(\\d+)(\\w+)", "12ab", no, 0, {}},
  row{"R75", "(\\d+)x(\\w+)", "12xab", yes, 3, {"12", "ab"}},
  row{"R76", "(\\d)\\w(\\d)", "1a2", yes, 2, {"1", "2"}},
  row{"R77", "((", "a", error, 0, {}},
  row{"R78", "()", "a", no, 0, {}},
  row{"R79", "a()", "ab", no, 0, {}},
  row{"R80", "\\w+\\d\\s", "a1x", yes, 2, {}},
  row{"R81", "\\w+\\d\\s+x", "a1x", yes, 2, {}},
  row{"R82", "\\w+\\d\\s+x", "a1 x", yes, 3, {}},
  row{"R83", "\\S+\\d\\s", "ab1 c", yes, 3, {}},
  row{"R84", "\\d\\d+", "123", yes, 1, {}},
  row{"R85", "\\d+\\d", "12", yes, 1, {}},
  row{"R86", "\\d+\\d", "1", no, 0, {}},
  row{"R87", "\\d*\\d", "1", yes, 0, {}},
  row{"R88", "\\w*\\d+\\s*", "ab12  ", yes, 3, {}},
  row{"R89", "^\\w+ \\d+ \\w+$", "ab 12 cd", yes, 6, {}},
  row{"R90", "^(\\w+) (\\d+)$", "ab 12", yes, 3, {"ab", "12"}},
  row{"R91", "^(\\w+) (\\d+)$", "ab 12 ", no, 0, {}},
  row{"R92", "(\\w+)@(\\w+)", "x@y z@w", yes, 2, {"x", "y"}},
  row{"R93", "^a\\.+b", "aXXbYYb", yes, 3, {}},
  row{"R94", "a\\.+a\\.+a\\.+a\\.+a\\.+b", "aXaXaXaXaXaXb", yes, 12, {}},
  row{"R95", "\\.+a\\.+b\\.+c\\.+d\\.+e\\.+fx", ".a.b.c.d.e.fy.a.b.c.d.e.fx", yes, 25, {}},
  row{"R96", "(\\.*)\\D\\w*(\\w+)$", "11(2(2a ", no, 0, {}},
  row{"R97", "aab", "aaab", yes, 3, {}},
  row{"R98", "abab c", "ababab c", yes, 7, {}},
  row{"R99", "\\da", "11a", yes, 2, {}},
  row{"R100", "^\\<\\d+>\\s*id=\\w+", "<134>id=fw", yes, 8, {}},
  row{"R101", "(\\d+).(\\d+).(\\d+).(\\d+)", "src=10.1.2.3:80", yes, 11, {"10", "1", "2", "3"}},
  row{"R102", "(\\d+.\\d+.\\d+.\\d+)", "10.1.2.3", yes, 7, {"10.1.2.3"}},
  row{"R103", "^\\S+\\s\\S+ (\\d\\d\\d) ", "GET /x 404 12", yes, 10, {"404"}}
), [](const auto& each) { return std::string(each.param.id); });

// decoders.md 2.4
INSTANTIATE_TEST_SUITE_P(Specification, PcreExamples, ::testing::Values(
  row{"P01", "(FOO)", "foo FOO", yes, 6, {"FOO"}},
  row{"P02", "(?i)x(FOO)", "foo xfoo", yes, 7, {"foo"}},
  row{"P03", "x(a)?(b)?(c)?", "foo xac", yes, 6, {"a", "", "c"}},
  row{"P04", "x(a)?(b)?(c)?", "foo xb", yes, 5, {"", "b"}},
  row{"P05", "x(a)?(b)?(c)?", "foo x", yes, 4, {}},
  row{"P06", "(?'n'\\d+)", "foo 12", yes, 5, {"12"}},
  row{"P07", "(?:a|b)(\\d)", "foo b7", yes, 5, {"7"}},
  row{"P08", "(?|a(\\d)|b(\\d))", "foo b7", yes, 5, {"7"}},
  row{"P09", "foo (.)", "foo \303\251", yes, 4, {"\303"}},
  row{"P10", "^bar", "foo\nbar", no, 0, {}},
  row{"P11", "foo$", "foo\n", yes, 2, {}},
  row{"P12", "o(.+)b", "foo\nb", no, 0, {}},
  row{"P13", "(?s)o(.+)b", "foo\nb", yes, 4, {"o\n"}},
  row{"P14", "\\bfoo\\b(.*)", "foo x", yes, 4, {" x"}},
  row{"P15", "(*plb:f)(oo)", "foo", yes, 2, {"oo"}},
  row{"P16", "(a+)+c|(b)$", "foo aaaaaaaaaaaaaaaaaaaaaaaaaaaaaab", no, 0, {}},
  row{"P17", "(a+)+c|(b)$", "foo aaaab", yes, 8, {"", "b"}}
), [](const auto& each) { return std::string(each.param.id); });
// clang-format on

struct osmatch_row {
  const char* id;
  const char* pattern;
  const char* input;
  bool holds;
};

void PrintTo(const osmatch_row& each, std::ostream* out) {
  *out << each.id << " " << each.pattern << " on " << each.input;
}

class OsmatchExamples : public ::testing::TestWithParam<osmatch_row> {};

TEST_P(OsmatchExamples, HoldAsSpecified) {
  auto compiled = pattern::compile(language::osmatch, GetParam().pattern, {});
  ASSERT_TRUE(compiled);
  match_scratch scratch;
  EXPECT_EQ(compiled->holds(GetParam().input, scratch), GetParam().holds);
  auto negated = pattern::compile(language::osmatch, GetParam().pattern, {false, true});
  EXPECT_EQ(negated->holds(GetParam().input, scratch), !GetParam().holds);
}

// clang-format off
// decoders.md 2.2
INSTANTIATE_TEST_SUITE_P(Specification, OsmatchExamples, ::testing::Values(
  osmatch_row{"M01", "abc", "xxABCxx", true},
  osmatch_row{"M02", "abc", "ab", false},
  osmatch_row{"M03", "^abc", "abcd", true},
  osmatch_row{"M04", "^abc", "xabc", false},
  osmatch_row{"M05", "abc$", "xabc", true},
  osmatch_row{"M06", "abc$", "abcx", false},
  osmatch_row{"M07", "^abc$", "ABC", true},
  osmatch_row{"M08", "^abc$", "abcd", false},
  osmatch_row{"M09", "", "anything", true},
  osmatch_row{"M10", "", "", true},
  osmatch_row{"M11", "abc|", "zzz", true},
  osmatch_row{"M12", "|abc", "zzz", true},
  osmatch_row{"M13", "a||b", "zzz", true},
  osmatch_row{"M14", "^", "zzz", true},
  osmatch_row{"M15", "$", "zzz", true},
  osmatch_row{"M16", "^$", "", true},
  osmatch_row{"M17", "^$", "z", false},
  osmatch_row{"M18", "a|^b$|c$", "b", true},
  osmatch_row{"M19", "a|^b$|c$", "bb", false},
  osmatch_row{"M20", "a|^b$|c$", "xc", true},
  osmatch_row{"M21", "!abc", "xyz", true},
  osmatch_row{"M22", "!abc", "xabcx", false},
  osmatch_row{"M23", "!", "x", false},
  osmatch_row{"M24", "!!a", "!a", false},
  osmatch_row{"M25", "a|!b", "x", false},
  osmatch_row{"M26", "a|!b", "x!b", true},
  osmatch_row{"M27", "!a|b", "xb", false},
  osmatch_row{"M28", "!a|b", "xc", true},
  osmatch_row{"M29", "a^b", "a^b", true},
  osmatch_row{"M30", "a$b", "a$b", true},
  osmatch_row{"M31", "a\\|b", "b", true},
  osmatch_row{"M32", "a\\$", "a\\", true},
  osmatch_row{"M33", "a.c", "abc", false},
  osmatch_row{"M34", "\\d", "5", false},
  osmatch_row{"M35", "\303\211", "\303\251", false},
  osmatch_row{"M36", "foo$|^bar", "xbar", false},
  osmatch_row{"M37", "foo$|^bar", "barx", true},
  osmatch_row{"M38", "aab", "aaab", true}
), [](const auto& each) { return std::string(each.param.id); });
// clang-format on

pattern make(language lang, std::string_view text, bool captures = true) {
  return std::move(pattern::compile(lang, text, {captures, false}).value());
}

TEST(Pattern, LanguageNamesInAnyCase) {
  language got = language::exact;
  EXPECT_TRUE(parse_language("PCRE2", got));
  EXPECT_EQ(got, language::pcre2);
  EXPECT_FALSE(parse_language("exact", got));
  EXPECT_FALSE(parse_language("regex", got));
}

TEST(Pattern, ExactIsEquality) {
  match_scratch scratch;
  auto exact = make(language::exact, "Drop");
  EXPECT_TRUE(exact.holds("Drop", scratch));
  EXPECT_FALSE(exact.holds("drop", scratch));
  EXPECT_FALSE(exact.holds("Dropped", scratch));
}

TEST(Pattern, CapturesOfAnEarlierMatchAreGone) {
  match_scratch scratch;
  ASSERT_TRUE(make(language::pcre2, "(f)(o)").search("foo", scratch).matched);
  ASSERT_EQ(scratch.captures.size(), 2u);
  ASSERT_TRUE(make(language::pcre2, "bar").search("bar", scratch).matched);
  EXPECT_TRUE(scratch.captures.empty());
  ASSERT_TRUE(make(language::osregex, "(f)").search("f", scratch).matched);
  EXPECT_FALSE(make(language::osregex, "(f)").search("g", scratch).matched);
  EXPECT_TRUE(scratch.captures.empty());
}

TEST(Pattern, GroupsAreCounted) {
  EXPECT_EQ(make(language::osregex, "(a) (b)|(c)").groups(), 2u);
  EXPECT_EQ(make(language::pcre2, "(a(b))(?:c)").groups(), 2u);
  EXPECT_EQ(make(language::osmatch, "(a)").groups(), 0u);
}

TEST(Pattern, MoreGroupsThanTheUsualMatchData) {
  std::string text;
  for (int i = 0; i < 100; ++i)
    text += "(.)";
  match_scratch scratch;
  ASSERT_TRUE(make(language::pcre2, text).search(std::string(100, 'x'), scratch).matched);
  EXPECT_EQ(scratch.captures.size(), 100u);
}

TEST(MatchBudget, AnOsregexGivesUpAndOthersGoOn) {
  match_scratch scratch;
  std::string hard = std::string(640, 'a') + " b";
  auto slow = make(language::osregex, R"(\S+a\S+a\S+a\S+ax)");
  EXPECT_FALSE(slow.search(hard, scratch).matched);
  EXPECT_EQ(scratch.budget.limits_hit, 1u);
  EXPECT_EQ(scratch.budget.per_event, 800'000u) << "one pattern takes its share at most";
  for (int i = 0; i < 5; ++i)
    slow.search(hard, scratch);
  EXPECT_EQ(scratch.budget.per_event, 0u);
  EXPECT_TRUE(make(language::osregex, R"(^(\w)a)").search(hard, scratch).matched) << "a reserve stays";
}

TEST(MatchBudget, APcre2LimitIsNoMatch) {
  match_scratch scratch;
  auto bomb = make(language::pcre2, "(a+)+c|(b)$");
  EXPECT_FALSE(bomb.search(std::string(40, 'a') + "b", scratch).matched);
  EXPECT_EQ(scratch.budget.limits_hit, 1u);
  EXPECT_LT(scratch.budget.per_event, 1'000'000u);
  EXPECT_TRUE(bomb.search("aac", scratch).matched);
}

TEST(TextAfter, StartsBehindTheResultPosition) {
  EXPECT_EQ(text_after("abc", 0, ' '), "bc");
  EXPECT_EQ(text_after("abc", 2, ' '), "");
  EXPECT_EQ(text_after("abc", 3, ' '), "");
  EXPECT_EQ(text_after("abc", -1, ' '), "abc");
  EXPECT_EQ(text_after("abc", -1, '\0'), "");
  EXPECT_EQ(text_after("", 0, ' '), "");
}

/// Captures lie in the input, in every language, whatever the pattern and the text.
TEST(Pattern, RandomPatternsStayInsideTheirInput) {
  const unsigned seed = std::random_device{}();
  SCOPED_TRACE("seed " + std::to_string(seed));
  std::mt19937 random(seed);
  const std::vector<std::string> parts = {"\\d", "\\w", "\\s", "\\S", "\\.", "(", ")", "+",
                                          "*",   "a",   "1",   " ",   "|",   "^", "$"};
  match_scratch scratch;
  int compiled_count = 0;
  for (int round = 0; round < 20'000; ++round) {
    std::string text, input;
    for (unsigned i = random() % 10; i > 0; --i)
      text += parts[random() % parts.size()];
    for (unsigned i = random() % 12; i > 0; --i)
      input += "a1 A(+"[random() % 6];
    for (auto lang : {language::osmatch, language::osregex, language::pcre2}) {
      auto compiled = pattern::compile(lang, text, {true, false});
      if (!compiled) continue;
      ++compiled_count;
      scratch.budget = {};
      auto got = compiled->search(input, scratch);
      ASSERT_TRUE(got.matched || scratch.captures.empty());
      ASSERT_LE(got.r, static_cast<std::int64_t>(input.size())) << text << " on " << input;
      ASSERT_GE(got.r, -1) << text << " on " << input;
      for (auto capture : scratch.captures) {
        ASSERT_GE(capture.data(), input.data());
        ASSERT_LE(capture.data() + capture.size(), input.data() + input.size());
      }
    }
  }
  EXPECT_GT(compiled_count, 10'000);
}

} // namespace
} // namespace picket::engine
