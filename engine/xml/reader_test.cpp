#include "engine/xml/reader.hpp"

#include <gtest/gtest.h>

namespace picket::engine::xml {
namespace {

std::string show(const std::vector<element>& elements) {
  std::string text;
  for (const auto& each : elements) {
    text += "<" + each.name;
    for (const auto& attr : each.attributes)
      text += " " + attr.name + "=[" + attr.value + "]";
    text += ">[" + each.text + "]";
    if (!each.children.empty()) text += "{" + show(each.children) + "}";
  }
  return text;
}

/// `tree` in the form of `show`; null: refused.
struct row {
  const char* id;
  const char* text;
  const char* tree;
};

void PrintTo(const row& r, std::ostream* out) { *out << r.id << " " << r.text; }

class XmlExamples : public ::testing::TestWithParam<row> {};

TEST_P(XmlExamples, ReadAsSpecified) {
  auto got = read("x.xml", GetParam().text);
  if (!GetParam().tree) {
    EXPECT_FALSE(got) << show(*got);
    return;
  }
  ASSERT_TRUE(got) << to_string(got.error());
  EXPECT_EQ(show(*got), GetParam().tree);
}

// decoders.md 1.3
// clang-format off
INSTANTIATE_TEST_SUITE_P(Specification, XmlExamples, ::testing::Values(
  row{"XM01", "<a>x</a>", "<a>[x]"},
  row{"XM02", "<a>  x \n y </a>", "<a>[  x \n y ]"},
  row{"XM03", "<a>pre<b>1</b>post</a>", "<a>[post]{<b>[1]}"},
  row{"XM04", "<a>prefix<b/>x</a>", "<a>[x]{<b>[]}"},
  row{"XM05", "<a>pre<b/></a>", "<a>[]{<b>[]}"},
  row{"XM06", "<a>pre<b />post</a>", "<a>[>post]{<b>[]}"},
  row{"XM07", "<a>pre<b c=\"1\"/>post</a>", "<a>[>post]{<b c=[1]>[]}"},
  row{"XM08", "<a>x &lt; y &amp; z</a>", "<a>[x &lt; y &amp; z]"},
  row{"XM09", "<a>x \\< y</a>", "<a>[x \\< y]"},
  row{"XM10", "<a>x \\\\< y</a>", nullptr},
  row{"XM11", "<a>\\\\\\<b</a>", "<a>[\\\\\\<b]"},
  row{"XM12", "<a>x \\\\</a>", "<a>[x \\\\]"},
  row{"XM13", "<a>x \\</a>", nullptr},
  row{"XM14", "\\<a>1</a>", nullptr},
  row{"XM15", "<a>a>b</a>", "<a>[a>b]"},
  row{"XM16", "<a>1 < 2</a>", nullptr},
  row{"XM17", "<a>\\<!-- c --><b>x</a>", "<a>[\\<b>x]"},
  row{"XM18", "<?xml version=\"1.0\"?><a>1</a>", nullptr},
  row{"XM19", "<!DOCTYPE foo><a>1</a>", nullptr},
  row{"XM20", "<a><![CDATA[x]]></a>", nullptr},
  row{"XM21", "<a>1<!c!>2</a>", "<a>[12]"},
  row{"XM22", "<!-- x !><a>1</a>", "<a>[1]"},
  row{"XM23", "<!-- a --- --><a>1</a>", "<a>[1]"},
  row{"XM24", "<!--><a>1</a>", "<a>[1]"},
  row{"XM25", "<!-- open <a>1</a>", nullptr},
  row{"XM26", "text<a>1</a>tail<b>2</b>", "<a>[1]<b>[2]"},
  row{"XM27", "just text", ""},
  row{"XM28", "</a>", nullptr},
  row{"XM29", "<a>", nullptr},
  row{"XM30", "<a>1</b>", nullptr},
  row{"XM31", "<a>1</A>", nullptr},
  row{"XM32", "<a>1</a >", nullptr},
  row{"XM33", "< a>1</a>", nullptr},
  row{"XM34", "<a\n>1</a>", "<a>[1]"},
  row{"XM35", "<a/>", "<a>[]"},
  row{"XM36", "<a b='1' c=\"2\">x</a>", "<a b=[1] c=[2]>[x]"},
  row{"XM37", "<a b = \"1\">x</a>", nullptr},
  row{"XM38", "<a b=  \"1\">x</a>", "<a b=[1]>[x]"},
  row{"XM39", "<a b=\"1\"c=\"2\">x</a>", nullptr},
  row{"XM40", "<a b=1>x</a>", nullptr},
  row{"XM41", "<a b>x</a>", nullptr},
  row{"XM42", "<a b=\"x>y\">z</a>", nullptr},
  row{"XM43", "<a b=\"\\\"\">z</a>", nullptr},
  row{"XM44", "<a b=\"'\">z</a>", "<a b=[']>[z]"},
  row{"XM45", "<a b=\"1\" b=\"2\">z</a>", nullptr},
  row{"XM46", "<a b=\"\">z</a>", "<a b=[]>[z]"},
  row{"XM47", "<a><a>1</a></a>", "<a>[]{<a>[1]}"},
  row{"XM48", "<a<b>1</a<b>", "<a<b>[1]"},
  row{"XM49", "<a>1\r\n2</a>", "<a>[1\r\n2]"}
), [](const auto& each) { return std::string(each.param.id); });
// clang-format on

class VariableExamples : public ::testing::TestWithParam<row> {};

TEST_P(VariableExamples, SubstitutedAsSpecified) {
  auto roots = read("x.xml", GetParam().text);
  ASSERT_TRUE(roots) << to_string(roots.error());
  auto got = substitute_variables(*roots);
  if (!GetParam().tree) {
    ASSERT_FALSE(got) << show(*roots);
    EXPECT_EQ(got.error().code, "xml-variable");
    return;
  }
  ASSERT_TRUE(got) << to_string(got.error());
  EXPECT_EQ(show(*roots), GetParam().tree);
}

// decoders.md 1.5
// clang-format off
INSTANTIATE_TEST_SUITE_P(Specification, VariableExamples, ::testing::Values(
  row{"XV01", "<var name=\"XY\">val</var><a>$XY</a>", "<a>[val]"},
  row{"XV02", "<var name=\"xy\">val</var><a>[$XY.b|$xy,$XY $Xy</a>", "<a>[[val.b|val,val val]"},
  row{"XV03", "<var name=\"XY\">val</var><a>$XYs</a>", nullptr},
  row{"XV04", "<var name=\"XY\">val</var><a>$XY)</a>", nullptr},
  row{"XV05", "<var name=\"XY\">val</var><a>$XY\n</a>", nullptr},
  row{"XV06", "<var name=\"X\">val</var><a>$X</a>", "<a>[$X]"},
  row{"XV07", "<var name=\"X\">val</var><a>$X </a>", "<a>[val ]"},
  row{"XV08", "<a>$XY</a><var name=\"XY\">val</var>", "<a>[$XY]"},
  row{"XV09", "<var name=\"XY\">val</var><a>$ZZ</a>", nullptr},
  row{"XV10", "<var name=\"XY\">val</var><a>foo$</a>", "<a>[foo$]"},
  row{"XV11", "<var name=\"XY\">val</var><a>foo$|bar $ x</a>", "<a>[foo$|bar $ x]"},
  row{"XV12", "<var name=\"XY\">val</var><a>(foo$)|bar</a>", nullptr},
  row{"XV13", "<var name=\"XY\">val</var><a>\\$XY</a>", "<a>[\\val]"},
  row{"XV14", "<var name=\"XY\">val</var><a>$$XY</a>", "<a>[$val]"},
  row{"XV15", "<var name=\"XY\">val</var><a>$(srcip) end</a>", "<a>[$(srcip) end]"},
  row{"XV16", "<var name=\"XY\">val</var><a>$(srcip) $XY end</a>", "<a>[$(srcip) val end]"},
  row{"XV17", "<var name=\"XY\">val</var><a>$XY $(srcip) end</a>", "<a>[val $(srcip) end]"},
  row{"XV18", "<var name=\"XY\">v$XY</var><var name=\"ZZ\">$XY</var><a>$ZZ</a>", "<a>[$XY]"},
  row{"XV19", "<var name=\"XY\">1</var><var name=\"xy\">2</var><a>$XY.</a>", "<a>[1.]"},
  row{"XV20", "<g><var name=\"XY\">1</var></g><a>$XY.</a>", "<g>[]<a>[1.]"},
  row{"XV21", "<var name=\"XY\">1</var><a b=\"$XY\">c</a>", "<a b=[1]>[c]"},
  row{"XV22", "<VAR NAME=\"XY\">1</VAR><a>$XY.</a>", "<a>[1.]"},
  row{"XV23", "<var foo=\"XY\">1</var><a>x</a>", nullptr},
  row{"XV24", "<a var=\"1\">x</a>", nullptr},
  row{"XV25", "<var name=\"XY\"></var><a>a $XY b</a>", "<a>[a  b]"}
), [](const auto& each) { return std::string(each.param.id); });
// clang-format on

struct defect {
  const char* name;
  const char* text;
  int line;
  int column;
  const char* says;
};

class XmlDefects : public ::testing::TestWithParam<defect> {};

TEST_P(XmlDefects, SaysWhereAndWhat) {
  auto got = read("dir/x.xml", GetParam().text);
  ASSERT_FALSE(got);
  EXPECT_EQ(got.error().place.file, "dir/x.xml");
  EXPECT_EQ(got.error().place.line, GetParam().line);
  EXPECT_EQ(got.error().place.column, GetParam().column);
  EXPECT_NE(got.error().text.find(GetParam().says), std::string::npos) << got.error().text;
  EXPECT_FALSE(got.error().hint.empty());
}

INSTANTIATE_TEST_SUITE_P(Reader, XmlDefects,
                         ::testing::Values(defect{"Unclosed", "<a>\n <b>x</b>\n", 1, 1, "'a' is not closed"},
                                           defect{"WrongEnd", "<a>\n  <b>x</c></a>", 2, 7,
                                                  "'c' does not close 'b'"},
                                           defect{"Comment", "<a>1</a>\n\n<!-- x", 3, 1, "comment"},
                                           defect{"EndWithoutStart", "\n</a>", 2, 1, "end tag without"},
                                           defect{"NoValue", "<a\n  b>x</a>", 2, 3, "'b' has no value"},
                                           defect{"NoQuotes", "<a b=1>x</a>", 1, 6, "no quotes"},
                                           defect{"Twice", "<a b=\"1\"\n b=\"2\">x</a>", 2, 2, "twice"},
                                           defect{"ValueNotClosed", "<a b=\"1>x</a>", 1, 6, "not closed"}),
                         [](const auto& each) { return std::string(each.param.name); });

TEST(XmlReader, PlacesOfElementsAndAttributes) {
  auto got = read("x.xml", "<a>\n <b\n   c=\"1\"/>\n</a>");
  ASSERT_TRUE(got);
  const auto& b = got->at(0).children.at(0);
  EXPECT_EQ(b.place.line, 2);
  EXPECT_EQ(b.place.column, 2);
  EXPECT_EQ(b.attributes.at(0).place.line, 3);
  EXPECT_EQ(b.attributes.at(0).place.column, 4);
}

TEST(XmlReader, Limits) {
  auto name = [](std::size_t bytes) { return std::string(bytes, 'n'); };
  EXPECT_TRUE(read("x", "<a>" + name(20479) + "</a>"));
  auto text = read("x", "<a>" + name(20480) + "</a>");
  ASSERT_FALSE(text);
  EXPECT_EQ(text.error().code, "xml-limit");
  EXPECT_FALSE(read("x", "<" + name(20480) + "/>"));
  EXPECT_FALSE(read("x", "<a b=\"" + name(20480) + "\"/>"));

  auto nested = [](int depth) {
    std::string open, close;
    for (int i = 0; i < depth; ++i) {
      open += "<a>";
      close += "</a>";
    }
    return open + close;
  };
  EXPECT_TRUE(read("x", nested(1024)));
  EXPECT_FALSE(read("x", nested(1025)));

  auto attributes = [](int count) {
    std::string all = "<a";
    for (int i = 0; i < count; ++i)
      all += " a" + std::to_string(i) + "=''";
    return all + "/>";
  };
  EXPECT_TRUE(read("x", attributes(49)));
  EXPECT_FALSE(read("x", attributes(50)));
}

TEST(Variables, UnknownOneNamesTheNearest) {
  auto roots = read("x.xml", "<var name=\"BAD_WORDS\">x</var>\n<a>$BAD_WORD </a>");
  ASSERT_TRUE(roots);
  auto got = substitute_variables(*roots);
  ASSERT_FALSE(got);
  EXPECT_EQ(got.error().place.line, 2);
  EXPECT_NE(got.error().hint.find("did you mean '$bad_words'"), std::string::npos) << got.error().hint;
}

TEST(Variables, WhatTheyInsertIsBounded) {
  std::string text = "<var name=\"V\">" + std::string(20000, 'v') + "</var>";
  std::string references;
  for (int i = 0; i < 5000; ++i)
    references += "$V$V$V$V,"; // 5,000 times 80,000 bytes
  auto roots = read("x.xml", text + "<a>" + references.substr(0, 20000) + "</a><a>"
                                 + references.substr(0, 20000) + "</a>");
  ASSERT_TRUE(roots);
  EXPECT_FALSE(substitute_variables(*roots));
}

} // namespace
} // namespace picket::engine::xml
