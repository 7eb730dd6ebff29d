#include "store/journal/journal_reader.hpp"

#include <atomic>
#include <random>
#include <thread>

#include "store/testing/journal_fixture.hpp"

namespace picket::store {
namespace {

using testing::at;
using testing::day_ms;
using testing::hour_ms;
using testing::json;
using testing::morning_ms;

class JournalReader : public testing::journal_fixture {
protected:
  journal_reader reader(const journal_position& from = {}, std::size_t record_limit = 1'000'000) {
    auto opened = journal_reader::open({alerts_json_output(path("")), record_limit}, from);
    EXPECT_TRUE(opened) << to_string(opened.error());
    return std::move(*opened);
  }
  static std::string read(journal_reader& from, std::size_t bytes = 1'000) {
    auto some = from.read(bytes);
    EXPECT_TRUE(some) << to_string(some.error());
    return some ? std::string{*some} : std::string{};
  }
  static std::string read_all(journal_reader& from, std::size_t bytes = 1'000) {
    std::string all;
    while (true) {
      auto some = read(from, bytes);
      if (some.empty()) return all;
      EXPECT_EQ(some.back(), '\n') << "whole records only";
      all += some;
    }
  }
};

TEST_F(JournalReader, WaitsForAJournalThatIsNotThereYet) {
  auto from = reader();
  EXPECT_EQ(read(from), "");
  auto j = open(options());
  EXPECT_EQ(read(from), "");
  ASSERT_TRUE(j.append(json("a\n"), at(morning_ms)));
  EXPECT_EQ(read(from), "a\n");
  EXPECT_EQ(to_text(from.position()), "2025/Mar/ossec-alerts-04.json:2");
  EXPECT_EQ(read(from), "");
  ASSERT_TRUE(j.append(json("b\nc\n"), at(morning_ms)));
  EXPECT_EQ(read(from), "b\nc\n");
}

TEST_F(JournalReader, GoesOnAtItsCursorOverRotationsAndRestarts) {
  auto all = options();
  all.rotate_interval_s = 600;
  auto now_ms = morning_ms;
  std::string written, seen, cursor;
  for (int life = 0; life < 5; ++life) {
    auto j = open(all, now_ms);
    for (int i = 0; i < 10; ++i) {
      auto line = "line " + std::to_string(life) + "." + std::to_string(i) + "\n";
      written += line;
      now_ms += 7 * hour_ms / 10;
      ASSERT_TRUE(j.append(json(line), at(now_ms)));
      if (i % 3 != 0) continue;
      auto from = reader(parse_journal_position(cursor));
      seen += read(from, 4);
      cursor = to_text(from.position());
    }
  }
  auto from = reader(parse_journal_position(cursor));
  seen += read_all(from, 4);
  EXPECT_EQ(seen, written);
  EXPECT_EQ(from.gaps().missing_files + from.gaps().skipped_bytes + from.gaps().moved_back, 0u);
}

TEST_F(JournalReader, GivesSeveralRecordsButNeverAPartOfOne) {
  auto j = open(options());
  ASSERT_TRUE(j.append(json("1234\n5678\nthis one is longer than what is asked for\nx\n"), at(morning_ms)));
  auto from = reader();
  EXPECT_EQ(read(from, 12), "1234\n5678\n");
  EXPECT_EQ(read(from, 12), "this one is longer than what is asked for\n");
  EXPECT_EQ(read(from, 12), "x\n");
  EXPECT_EQ(read(from, 12), "");
}

TEST_F(JournalReader, TextAlertsEndWithAnEmptyLine) {
  auto all = options();
  all.alerts_log = true;
  auto j = open(all);
  journal_lines lines;
  lines.alerts_log = "** Alert 1\none\n\n** Alert 2\ntwo\n\n";
  ASSERT_TRUE(j.append(lines, at(morning_ms)));
  auto from = journal_reader::open({alerts_log_output(path(""))}, {});
  ASSERT_TRUE(from);
  EXPECT_EQ(from->read(20).value(), "** Alert 1\none\n\n");
  EXPECT_EQ(from->read(20).value(), "** Alert 2\ntwo\n\n");
  EXPECT_EQ(from->read(20).value(), "");
}

TEST_F(JournalReader, WaitsBehindAHalfRecordAndSurvivesItsRepair) {
  scratch.write("logs/alerts/2025/Mar/ossec-alerts-04.json", "a\n{\"half\":");
  scratch.write("logs/alerts/alerts.json.order", "2025/Mar/ossec-alerts-04.json\n");
  auto from = reader();
  EXPECT_EQ(read(from), "a\n");
  EXPECT_EQ(read(from), "") << "not before it is whole";
  auto j = open(options()); // cuts it off
  ASSERT_TRUE(j.append(json("{\"another\":1}\n"), at(morning_ms)));
  EXPECT_EQ(read(from), "{\"another\":1}\n") << "no mixture of both";
  EXPECT_EQ(from.gaps().moved_back, 0u);
}

TEST_F(JournalReader, SkipsAHalfRecordThatWasLeftBehind) {
  scratch.write("logs/alerts/2025/Mar/ossec-alerts-03.json", "a\nhalf");
  scratch.write("logs/alerts/2025/Mar/ossec-alerts-04.json", "b\n");
  scratch.write("logs/alerts/alerts.json.order",
                "2025/Mar/ossec-alerts-03.json\n2025/Mar/ossec-alerts-04.json\n");
  auto from = reader();
  EXPECT_EQ(read_all(from), "a\nb\n");
  EXPECT_EQ(from.gaps().skipped_bytes, 4u);
}

TEST_F(JournalReader, ACursorThatIsNoEndOfARecordIsMovedBackToOne) {
  auto j = open(options());
  ASSERT_TRUE(j.append(json("abc\ndef\n"), at(morning_ms)));
  auto inside = reader({"2025/Mar/ossec-alerts-04.json", 6});
  EXPECT_EQ(read_all(inside), "def\n");
  EXPECT_EQ(inside.gaps().moved_back, 1u);
  auto beyond = reader({"2025/Mar/ossec-alerts-04.json", 1'000});
  EXPECT_EQ(read_all(beyond), "") << "a power cut took what it had read";
  ASSERT_TRUE(j.append(json("ghi\n"), at(morning_ms)));
  EXPECT_EQ(read_all(beyond), "ghi\n");
  EXPECT_EQ(beyond.gaps().moved_back, 1u);
}

TEST_F(JournalReader, ACursorOfAnotherOutputIsRefused) {
  open(options());
  for (auto* file : {"2025/Mar/ossec-archive-04.json", "passwd", "2025/Mar/ossec-alerts-04.log"}) {
    auto refused = journal_reader::open({alerts_json_output(path(""))}, {file, 0});
    ASSERT_FALSE(refused) << file;
    EXPECT_EQ(refused.error().code, errc::invalid_argument);
  }
}

TEST_F(JournalReader, AFileThatIsGoneIsCountedAndTheNextOneRead) {
  auto j = open(options());
  ASSERT_TRUE(j.append(json("a\nb\n"), at(morning_ms)));
  ASSERT_TRUE(j.append(json("c\n"), at(morning_ms + day_ms)));
  ASSERT_TRUE(j.append(json("d\n"), at(morning_ms + 2 * day_ms)));
  std::filesystem::remove(path("alerts/2025/Mar/ossec-alerts-04.json"));
  auto from = reader({"2025/Mar/ossec-alerts-04.json", 2});
  EXPECT_EQ(read_all(from), "c\nd\n");
  EXPECT_EQ(from.gaps().missing_files, 1u);
}

TEST_F(JournalReader, ReadsAMovedFileToItsEndAsLongAsItIsOpen) {
  auto j = open(options());
  ASSERT_TRUE(j.append(json("a\n"), at(morning_ms)));
  auto from = reader();
  EXPECT_EQ(read(from), "a\n");
  ASSERT_TRUE(j.append(json("b\n"), at(morning_ms)));
  std::filesystem::rename(path("alerts/alerts.json"), path("alerts/alerts.json.1"));
  std::filesystem::remove(path("alerts/2025/Mar/ossec-alerts-04.json"));
  ASSERT_TRUE(j.append(json("c\n"), at(morning_ms)));
  EXPECT_EQ(read_all(from), "b\nc\n");
}

TEST_F(JournalReader, AFileThatIsCutUnderItIsNoEndlessWait) {
  auto j = open(options());
  ASSERT_TRUE(j.append(json("aaaa\nbbbb\n"), at(morning_ms)));
  auto from = reader();
  EXPECT_EQ(read(from), "aaaa\nbbbb\n");
  std::filesystem::resize_file(path("alerts/alerts.json"), 0);
  EXPECT_EQ(read(from), "");
  EXPECT_EQ(from.gaps().moved_back, 1u);
  ASSERT_TRUE(j.append(json("c\n"), at(morning_ms)));
  EXPECT_EQ(read_all(from), "c\n");
}

TEST_F(JournalReader, ARecordThatIsTooLongIsSkippedAndCounted) {
  auto j = open(options());
  auto text = "a\n" + std::string(5'000, 'x') + "\nb\n";
  ASSERT_TRUE(j.append(json(text), at(morning_ms)));
  auto from = reader({}, 1'000);
  EXPECT_EQ(read_all(from, 100), "a\nb\n");
  EXPECT_EQ(from.gaps().skipped_bytes, 5'001u);
  auto patient = reader({}, 10'000);
  EXPECT_EQ(read_all(patient, 100), text);
}

TEST_F(JournalReader, WithoutAListItGoesByNames) {
  scratch.write("logs/alerts/2025/Mar/ossec-alerts-04-001.json", "c\n");
  scratch.write("logs/alerts/2025/Mar/ossec-alerts-04.json", "b\n");
  scratch.write("logs/alerts/2024/Dec/ossec-alerts-31.json", "a\n");
  auto from = reader();
  EXPECT_EQ(read_all(from), "a\nb\nc\n");
  auto later = reader({"2025/Jan/ossec-alerts-01.json", 5});
  EXPECT_EQ(read_all(later), "b\nc\n");
}

TEST_F(JournalReader, FollowsAWriterThatRotatesAllTheTime) {
  auto seed = std::random_device{}();
  RecordProperty("seed", std::to_string(seed));
  std::mt19937 random{seed};
  constexpr int lines = 1'000;
  std::atomic<bool> ended{false};
  std::jthread writer{[&] {
    auto now_ms = morning_ms;
    auto all = options();
    all.rotate_interval_s = 600;
    for (int i = 0; i < lines;) {
      auto j = journal::open(all, at(now_ms));
      if (!j) break;
      for (int end = std::min(lines, i + 500); i < end; ++i) {
        now_ms += static_cast<std::int64_t>(random() % 300'000);
        if (random() % 100 == 0) now_ms += day_ms;
        if (random() % 100 == 0) now_ms -= static_cast<std::int64_t>(random() % 4) * day_ms;
        auto line = std::to_string(i) + std::string(random() % 200, '.') + "\n";
        if (!j->append(json(line), at(now_ms))) break;
      }
    }
    ended = true;
  }};
  auto from = reader();
  int next = 0;
  std::string cursor;
  for (int rounds = 0; next < lines; ++rounds) {
    bool last = ended;
    if (rounds % 50 == 49) from = reader(parse_journal_position(to_text(from.position())));
    auto some = read(from, 300);
    std::istringstream text{some};
    for (std::string line; std::getline(text, line); ++next)
      ASSERT_EQ(line.substr(0, line.find('.')), std::to_string(next)) << "seed " << seed;
    if (some.empty() && last) break;
  }
  writer.join();
  EXPECT_EQ(next, lines) << "seed " << seed;
  EXPECT_EQ(from.gaps().missing_files + from.gaps().skipped_bytes, 0u);
}

} // namespace
} // namespace picket::store
