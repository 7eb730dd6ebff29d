#include "node/picketctl/source_quote.hpp"

#include <gtest/gtest.h>

namespace picket::ctl {
namespace {

std::string quote(std::string_view bytes, int line, int column) {
  return source_text{bytes}.quote(line, column);
}

TEST(SourceQuote, MarksTheColumn) {
  EXPECT_EQ(quote("<group>\n  <ruel id=\"1\">\n</group>\n", 2, 3), "    2 |   <ruel id=\"1\">\n"
                                                                   "      |   ^\n");
  EXPECT_EQ(quote("one", 1, 1), "    1 | one\n      | ^\n");
  EXPECT_EQ(quote("one", 1, 4), "    1 | one\n      |    ^\n") << "behind the last character";
  EXPECT_EQ(quote("one", 1, 99), "    1 | one\n      |    ^\n");
  EXPECT_EQ(quote("one", 1, 0), "    1 | one\n") << "the column is not known";
}

TEST(SourceQuote, TheMarkStandsRightWhateverIsBeforeIt) {
  EXPECT_EQ(quote("\t\tx", 1, 3), "    1 |   x\n      |   ^\n") << "a tab takes one column here";
  EXPECT_EQ(quote("größe x", 1, 9), "    1 | größe x\n      |       ^\n")
      << "columns are bytes, the mark is not";
  EXPECT_EQ(quote("a\x1b[2Jx\r\n", 1, 6), "    1 | a\\x1b[2Jx\n      |         ^\n") << "controls take four";
}

TEST(SourceQuote, ALongLineIsShownAroundTheColumn) {
  std::string line = std::string(500, 'a') + "X" + std::string(500, 'b');
  auto text = quote(line, 1, 501);
  EXPECT_EQ(text, "    1 | ..." + std::string(80, 'a') + "X" + std::string(39, 'b') + "...\n      |    "
                      + std::string(80, ' ') + "^\n");
  EXPECT_LT(quote(std::string(100'000, 'a'), 1, 1).size(), 300u);
  std::string wide;
  for (int i = 0; i < 200; ++i)
    wide += "ü";
  EXPECT_EQ(quote(wide, 1, 202).find("\\x"), std::string::npos) << "no character is cut in two";
}

TEST(SourceQuote, AColumnInsideACharacterMeansTheCharacter) {
  EXPECT_EQ(quote("aüb", 1, 3), "    1 | aüb\n      |  ^\n");
}

TEST(SourceQuote, ALineThatIsNotThereIsNothing) {
  EXPECT_EQ(quote("one\ntwo", 3, 1), "");
  EXPECT_EQ(quote("one", 0, 1), "");
  EXPECT_EQ(quote("one", -7, -7), "");
  EXPECT_EQ(quote("", 1, 1), "    1 | \n      | ^\n");
  EXPECT_EQ(quote("one\n", 2, 1), "    2 | \n      | ^\n");
}

} // namespace
} // namespace picket::ctl
