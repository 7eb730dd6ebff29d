#include "store/deadletter/deadletter_store.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include "base/faults/faults.hpp"
#include "base/testing/scratch_directory.hpp"
#include "store/file_write.hpp"

namespace picket::store {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

dead_letter letter(std::uint64_t sequence, const std::string& text, bool examined = true) {
  dead_letter made;
  made.head.batch = {1'803, 7, sequence};
  made.head.record = 5;
  made.head.id = letter_id(made.head.batch, made.head.record);
  made.head.agent = 7;
  made.head.agent_name = "web-01";
  made.head.arrival_ms = 1'700'000'000'123;
  made.head.kept_ms = 1'700'000'060'000;
  made.head.reason = "signal 6";
  made.head.examined = examined;
  made.head.node = "n1";
  made.head.text_bytes = text.size();
  made.head.digest = digest_of(text);
  made.location = "/var/log/x";
  made.text = text;
  made.bytes = "1:/var/log/x:" + text;
  return made;
}

class Deadletters : public ::testing::Test {
protected:
  void SetUp() override { open(); }
  void open(std::size_t limit = 10) {
    store.reset();
    auto opened = deadletter_store::open(dir.path() / "letters", limit);
    ASSERT_TRUE(opened) << to_string(opened.error());
    store = std::move(*opened);
  }

  testing::scratch_directory dir;
  std::unique_ptr<deadletter_store> store;
};

TEST(DeadLetter, GoesIntoAFileAndBack) {
  for (auto text : {std::string{"plain"}, std::string{"quotes \" and \\ and \n\t\x01"}, std::string{},
                    std::string{"gr\xc3\xbc\xc3\x9f"}, std::string(60'000, 'a')}) {
    auto one = letter(3, text);
    auto file = format_letter(one);
    auto read = parse_letter(file);
    ASSERT_TRUE(read) << to_string(read.error());
    EXPECT_EQ(*read, one);
    auto head = parse_letter_head(std::string_view{file}.substr(0, letter_head_bytes));
    ASSERT_TRUE(head) << to_string(head.error());
    EXPECT_EQ(*head, one.head) << "from the beginning alone";
  }
}

TEST(DeadLetter, BytesThatAreNoTextStayInTheBytes) {
  auto one = letter(3, std::string("a\xff\0b\xed\xa0\x80", 7));
  one.form = letter_form::sealed;
  auto read = parse_letter(format_letter(one));
  ASSERT_TRUE(read) << to_string(read.error());
  EXPECT_EQ(read->bytes, one.bytes);
  EXPECT_EQ(read->form, letter_form::sealed);
  EXPECT_EQ(read->head.digest, one.head.digest) << "of the text as it came";
  EXPECT_EQ(read->text, std::string("a\xef\xbf\xbd\0b\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd", 15));
}

TEST(DeadLetter, WhatIsNoLetterIsAnError) {
  auto file = format_letter(letter(3, "x"));
  EXPECT_FALSE(parse_letter(""));
  EXPECT_FALSE(parse_letter("{}"));
  EXPECT_FALSE(parse_letter(file.substr(0, file.size() / 2)));
  auto without = file;
  without.replace(without.find("text_sha256"), 4, "tuxt");
  auto read = parse_letter(without);
  ASSERT_FALSE(read);
  EXPECT_THAT(read.error().what, HasSubstr("text_sha256"));
}

TEST(DeadLetter, AnIdIsThreeNumbers) {
  EXPECT_EQ(letter_id({1, 2, 3}, 4), "2-3-4");
  EXPECT_TRUE(parse_letter_id("2-3-4"));
  for (auto wrong : {"", "2-3", "2-3-4-5", "../2-3-4", "2-3-", "a-b-c", "2-3-99999999999999999999", "2- 3-4"})
    EXPECT_FALSE(parse_letter_id(wrong)) << wrong;
}

TEST_F(Deadletters, AreKeptOverARestart) {
  ASSERT_TRUE(store->keep(letter(12, "b")));
  ASSERT_TRUE(store->keep(letter(3, "a")));
  struct stat info {};
  ASSERT_EQ(::stat((dir.path() / "letters" / "7-12-5.json").c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 0777, 0600u);
  dir.write("letters/7-99-5.json.new", "half");
  dir.write("letters/1-2-3.batch", "something else");
  dir.write("letters/7-98-5.json", "damaged");
  open();
  EXPECT_THAT(store->ids(), ElementsAre("7-3-5", "7-12-5")) << "by number, not by text";
  EXPECT_EQ(store->unreadable(), 1u);
  EXPECT_FALSE(std::filesystem::exists(dir.path() / "letters" / "7-99-5.json.new"));
  EXPECT_TRUE(std::filesystem::exists(dir.path() / "letters" / "7-98-5.json"))
      << "nothing of others is removed";
  auto read = store->read("7-12-5");
  ASSERT_TRUE(read) << to_string(read.error());
  EXPECT_EQ(*read, letter(12, "b"));
  std::size_t total = 0;
  auto page = store->list(1, 5, total);
  EXPECT_EQ(total, 2u);
  ASSERT_EQ(page.size(), 1u);
  EXPECT_EQ(page[0].head, letter(12, "b").head);
}

TEST_F(Deadletters, AreDroppedOnce) {
  ASSERT_TRUE(store->keep(letter(3, "a")));
  EXPECT_TRUE(store->drop("7-3-5"));
  auto again = store->drop("7-3-5");
  ASSERT_FALSE(again);
  EXPECT_EQ(again.error().code, errc::letter_unknown);
  EXPECT_EQ(store->read("../../etc/passwd").error().code, errc::letter_unknown);
  EXPECT_EQ(store->drop("07-3-5").error().code, errc::letter_unknown);
  open();
  EXPECT_EQ(store->size(), 0u);
}

TEST_F(Deadletters, AreNoMoreThanTheLimit) {
  open(2);
  ASSERT_TRUE(store->keep(letter(1, "a")));
  ASSERT_TRUE(store->keep(letter(2, "b")));
  EXPECT_TRUE(store->keep(letter(2, "other"))) << "this one is there";
  EXPECT_EQ(store->read("7-2-5")->text, "b") << "and stays";
  auto full = store->keep(letter(3, "c"));
  ASSERT_FALSE(full);
  EXPECT_EQ(full.error().code, errc::store_full);
  ASSERT_TRUE(store->drop("7-1-5"));
  EXPECT_TRUE(store->keep(letter(3, "c")));
}

TEST_F(Deadletters, ATextThatIsKnownIsSeenUntilItsLastLetterGoes) {
  EXPECT_FALSE(store->seen("fatal"));
  ASSERT_TRUE(store->keep(letter(1, "fatal")));
  ASSERT_TRUE(store->keep(letter(2, "fatal")));
  ASSERT_TRUE(store->keep(letter(3, "innocent", false))) << "of a batch that failed as a whole";
  EXPECT_TRUE(store->seen("fatal"));
  EXPECT_FALSE(store->seen("fatel"));
  EXPECT_FALSE(store->seen("fatal "));
  EXPECT_FALSE(store->seen("innocent"));
  EXPECT_EQ(store->find("7-2-5")->seen_again, 1u);
  EXPECT_EQ(store->find("7-3-5")->seen_again, 0u);
  open();
  EXPECT_TRUE(store->seen("fatal")) << "also after a restart";
  ASSERT_TRUE(store->drop("7-1-5"));
  EXPECT_TRUE(store->seen("fatal"));
  ASSERT_TRUE(store->drop("7-2-5"));
  EXPECT_FALSE(store->seen("fatal"));
}

TEST_F(Deadletters, ADirectoryThatCannotBeWrittenIsSaid) {
  std::filesystem::remove_all(dir.path() / "letters");
  auto kept = store->keep(letter(1, "a"));
  ASSERT_FALSE(kept);
  EXPECT_EQ(store->size(), 0u);
}

#if PICKET_FAULTS
TEST_F(Deadletters, ADiskThatIsFullLeavesNothingBehind) {
  ASSERT_TRUE(faults::set("disk-full", "1"));
  auto kept = store->keep(letter(1, "a"));
  faults::clear_all();
  ASSERT_FALSE(kept);
  EXPECT_EQ(kept.error().code, errc::disk_full);
  EXPECT_TRUE(std::filesystem::is_empty(dir.path() / "letters"));
  EXPECT_TRUE(store->keep(letter(1, "a")));
}
#endif

} // namespace
} // namespace picket::store
