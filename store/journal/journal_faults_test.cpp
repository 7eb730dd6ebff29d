// Disks that are full, fail or forget, and people who move files: what was acknowledged is there, whole,
// once.

#include <algorithm>
#include <csignal>
#include <random>
#include <thread>

#include <fcntl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/testing/small_disk.hpp"
#include "store/testing/faulty_disk.hpp"
#include "store/testing/journal_fixture.hpp"

namespace picket::store {
namespace {

using testing::at;
using testing::day_ms;
using testing::hour_ms;
using testing::json;
using testing::morning_ms;

class JournalFaults : public testing::journal_fixture {
protected:
  JournalFaults() {
    all = options();
    all.disk = disk;
  }
  std::string newest() const { return logs("alerts/alerts.json"); }
  static std::vector<journal_notice> of_kind(journal& from, journal_notice::kind kind) {
    auto notices = from.take_notices();
    std::erase_if(notices, [&](const journal_notice& one) { return one.what != kind; });
    return notices;
  }

  std::shared_ptr<testing::faulty_disk> disk = std::make_shared<testing::faulty_disk>();
  journal_options all;
};

TEST_F(JournalFaults, AFullDiskLosesAndDoublesNothing) {
  auto child = fork();
  ASSERT_GE(child, 0);
  if (child == 0) {
    signal(SIGXFSZ, SIG_IGN);
    auto three = options();
    three.archives_json = true;
    auto j = journal::open(three, at(morning_ms));
    rlimit limit{4'096, 65'536};
    setrlimit(RLIMIT_FSIZE, &limit);
    journal_lines lines;
    auto alert = std::string(1'000, 'a') + "\n";
    auto archive = std::string(3'000, 'b') + "\n";
    lines.alerts_json = alert;
    lines.archives_json = archive;
    if (!j->append(lines, at(morning_ms))) _exit(1);
    for (int again = 0; again < 3; ++again) {
      auto full = j->append(lines, at(morning_ms)); // the alert fits, the archive does not
      if (full || full.error().code != errc::disk_full) _exit(2);
      if (j->alerts_json()->size() != 2'002) _exit(3);
    }
    limit.rlim_cur = 65'536;
    setrlimit(RLIMIT_FSIZE, &limit);
    if (!j->append(lines, at(morning_ms))) _exit(4);
    _exit(0);
  }
  int status = 0;
  ASSERT_EQ(waitpid(child, &status, 0), child);
  EXPECT_TRUE(WIFEXITED(status));
  EXPECT_EQ(WEXITSTATUS(status), 0);
  auto alert = std::string(1'000, 'a') + "\n";
  auto archive = std::string(3'000, 'b') + "\n";
  EXPECT_EQ(newest(), alert + alert) << "the file that had room was written once";
  EXPECT_EQ(logs("archives/archives.json"), archive + archive) << "and the half record became a whole one";
}

/// A batch with something for each of the three files.
struct batch {
  explicit batch(int number) {
    auto text = std::to_string(number);
    alert = "{\"alert\":" + text + "}\n";
    log = "** Alert " + text + "\nwith two lines\n\n";
    archive = "{\"event\":\"" + text + std::string(3'000, '.') + "\"}\n";
  }
  journal_lines lines() const { return {alert, log, archive}; }
  std::string alert, log, archive;
};

TEST_F(JournalFaults, ARealDiskThatFillsUpGoesOnWhenThereIsRoom) {
  testing::small_disk small{1'024};
  if (!small.mounted()) GTEST_SKIP() << small.why_not();
  auto three = options();
  three.directory = small.path() / "logs";
  three.alerts_log = three.archives_json = three.strict_sync = true;
  auto j = open(three);
  std::string alerts, logs, archives;
  int refused = 0;
  for (int i = 0; i < 100; ++i) {
    batch one{i};
    if (i == 20) small.fill_up_to(30'000);
    for (int tries = 0; !j.append(one.lines(), at(morning_ms)); ++tries) {
      ++refused;
      if (tries == 3) small.make_room();
      ASSERT_LT(tries, 5);
    }
    alerts += one.alert;
    logs += one.log;
    archives += one.archive;
  }
  EXPECT_EQ(refused, 4) << "the disk was to fill up once";
  auto read = [&](const char* name) {
    std::ostringstream text;
    text << std::ifstream{three.directory / name, std::ios::binary}.rdbuf();
    return text.str();
  };
  EXPECT_EQ(read("alerts/alerts.json"), alerts);
  EXPECT_EQ(read("alerts/alerts.log"), logs);
  EXPECT_EQ(read("archives/archives.json"), archives);
}

TEST_F(JournalFaults, AReadOnlyFileSystemIsSaidAtTheStart) {
  testing::small_disk small{256};
  if (!small.mounted()) GTEST_SKIP() << small.why_not();
  ASSERT_TRUE(small.make_read_only(true));
  auto there = options();
  there.directory = small.path() / "logs";
  auto j = journal::open(there, at(morning_ms));
  ASSERT_FALSE(j);
  EXPECT_EQ(j.error().code, errc::permission);
  EXPECT_NE(j.error().what.find("Read-only"), std::string::npos) << j.error().what;
  EXPECT_NE(j.error().where.find("logs"), std::string::npos) << j.error().where;
  ASSERT_TRUE(small.make_read_only(false));
  EXPECT_TRUE(journal::open(there, at(morning_ms)));
}

TEST_F(JournalFaults, AFileSystemThatBecomesReadOnlyHoldsTheBatch) {
  auto j = open(all);
  ASSERT_TRUE(j.append(json("a\n"), at(morning_ms)));
  disk->on_write = [](std::size_t, int& number) {
    number = EROFS;
    return std::size_t{0};
  };
  for (int i = 0; i < 3; ++i) {
    auto refused = j.append(json("b\n"), at(morning_ms));
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, errc::permission);
  }
  disk->on_write = nullptr;
  ASSERT_TRUE(j.append(json("b\n"), at(morning_ms)));
  EXPECT_EQ(newest(), "a\nb\n");
}

TEST_F(JournalFaults, ShortWritesAndErrorsInBetweenLeaveEachRecordOnce) {
  auto seed = std::random_device{}();
  RecordProperty("seed", std::to_string(seed));
  std::mt19937 random{seed};
  disk->on_write = [&](std::size_t bytes, int& number) -> std::size_t {
    switch (random() % 4) {
    case 0:
      number = EIO;
      return 0;
    case 1:
      number = EINTR;
      return 0;
    case 2:
      return 1 + random() % bytes;
    default:
      return bytes;
    }
  };
  auto three = all;
  three.alerts_log = three.archives_json = true;
  three.unsynced_limit_bytes = 10'000;
  std::optional<journal> j;
  while (!j) // the list of files meets errors as well
    if (auto opened = journal::open(three, at(morning_ms))) j = std::move(*opened);
  std::string alerts, text, archives;
  for (int i = 0; i < 300; ++i) {
    batch one{i};
    while (!j->append(one.lines(), at(morning_ms))) {
    }
    alerts += one.alert;
    text += one.log;
    archives += one.archive;
  }
  EXPECT_EQ(newest(), alerts) << "seed " << seed;
  EXPECT_EQ(logs("alerts/alerts.log"), text) << "seed " << seed;
  EXPECT_EQ(logs("archives/archives.json"), archives) << "seed " << seed;
}

TEST_F(JournalFaults, AHalfWrittenBatchIsNotTornOverTwoFiles) {
  auto j = open(all);
  ASSERT_TRUE(j.append(json("a\n"), at(morning_ms)));
  int writes = 0;
  disk->on_write = [&](std::size_t, int& number) -> std::size_t {
    number = ENOSPC;
    return ++writes == 1 ? 3 : 0;
  };
  ASSERT_FALSE(j.append(json("half\n"), at(morning_ms)));
  ASSERT_TRUE(j.tick(at(morning_ms + day_ms))) << "midnight while the disk is full";
  disk->on_write = nullptr;
  ASSERT_TRUE(j.append(json("half\n"), at(morning_ms + day_ms)));
  EXPECT_EQ(logs("alerts/2025/Mar/ossec-alerts-04.json"), "a\nhalf\n");
  ASSERT_TRUE(j.append(json("b\n"), at(morning_ms + day_ms)));
  EXPECT_EQ(newest(), "b\n");
}

TEST_F(JournalFaults, AFailedSyncIsNotDoneBecauseTheNextOneSucceeds) {
  all.strict_sync = true;
  auto j = open(all);
  ASSERT_TRUE(j.append(json("a\n"), at(morning_ms)));
  int failures = 1;
  disk->on_sync = [&] { return failures-- > 0 ? EIO : 0; };
  auto refused = j.append(json("b\n"), at(morning_ms));
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, errc::io);
  ASSERT_TRUE(j.append(json("b\n"), at(morning_ms))) << "this sync says yes";
  EXPECT_EQ(newest(), "a\nb\n") << "not doubled for those who read it meanwhile";
  disk->lose_power();
  EXPECT_EQ(newest(), "a\nb\n") << "what the first sync lost was written again";
}

TEST_F(JournalFaults, WithIntervalTooWhatAFailedSyncLostIsWrittenAgain) {
  auto j = open(all);
  ASSERT_TRUE(j.append(json("a\n"), at(morning_ms)));
  disk->on_sync = [] { return ENOSPC; };
  ASSERT_TRUE(j.append(json("b\n"), at(morning_ms)));
  EXPECT_FALSE(j.tick(at(morning_ms + 1'000)));
  ASSERT_TRUE(j.append(json("c\n"), at(morning_ms + 1'500))) << "there is memory for it";
  disk->on_sync = nullptr;
  EXPECT_TRUE(j.tick(at(morning_ms + 2'000)));
  disk->lose_power();
  EXPECT_EQ(newest(), "a\nb\nc\n");
}

TEST_F(JournalFaults, MemoryForWhatIsNotSyncedIsBounded) {
  all.unsynced_limit_bytes = 10'000;
  auto j = open(all);
  disk->on_sync = [] { return EIO; };
  auto line = std::string(999, 'x') + "\n";
  int taken = 0;
  while (taken < 100 && j.append(json(line), at(morning_ms)))
    ++taken;
  EXPECT_EQ(taken, 10) << "then the caller waits";
  disk->on_sync = nullptr;
  ASSERT_TRUE(j.append(json(line), at(morning_ms)));
  ASSERT_TRUE(j.sync());
  disk->lose_power();
  EXPECT_EQ(newest().size(), 11'000u);
}

TEST_F(JournalFaults, WhatIsStrictlyDoneOutlivesEveryPowerCut) {
  auto seed = std::random_device{}();
  RecordProperty("seed", std::to_string(seed));
  std::mt19937 random{seed};
  all.strict_sync = true;
  all.archives_json = true;
  auto now_ms = morning_ms;
  int number = 0;
  std::vector<std::string> done, torn;
  for (int life = 0; life < 40; ++life) {
    auto mine = std::make_shared<testing::faulty_disk>();
    auto with = all;
    with.disk = mine;
    auto j = open(with, now_ms);
    mine->on_write = [&](std::size_t bytes, int& problem) -> std::size_t {
      problem = random() % 2 ? ENOSPC : EIO;
      return random() % 6 == 0 ? 0 : random() % 6 == 0 ? 1 + random() % bytes : bytes;
    };
    mine->on_sync = [&] { return random() % 4 == 0 ? EIO : 0; };
    int steps = static_cast<int>(random() % 40);
    for (int i = 0; i < steps; ++i) {
      if (random() % 20 == 0) now_ms += day_ms;
      auto line = "{\"n\":" + std::to_string(number++) + "}\n";
      journal_lines both;
      both.alerts_json = both.archives_json = line;
      int tries = 0;
      while (!j.append(both, at(now_ms)) && ++tries < 50) {
      }
      if (tries < 50) done.push_back(line);
    }
    mine->lose_power();
  }
  open(all, now_ms);
  for (const auto& output : {alerts_json_output(path("")), archives_json_output(path(""))}) {
    std::string text;
    auto order = journal_order::read(output);
    ASSERT_TRUE(order);
    for (const auto& name : order->names())
      text += scratch.read(output.directory / name);
    std::size_t from = 0;
    for (const auto& line : done) {
      auto found = text.find(line, from);
      ASSERT_NE(found, std::string::npos) << line << " was done and is gone; seed " << seed;
      from = found + line.size();
    }
  }
  EXPECT_GT(done.size(), 100u);
}

TEST_F(JournalFaults, ATornLineIsMendedAlsoInTheFileOfTheDayBefore) {
  {
    auto j = open(all);
    ASSERT_TRUE(j.append(json("{\"whole\":1}\n"), at(morning_ms)));
    int writes = 0;
    disk->on_write = [&](std::size_t, int& number) -> std::size_t {
      number = EIO;
      return ++writes == 1 ? 6 : 0;
    };
    ASSERT_FALSE(j.append(json("{\"half\":1}\n"), at(morning_ms))); // and here the process dies
  }
  disk->on_write = nullptr;
  auto j = open(all, morning_ms + 3 * day_ms);
  auto mended = of_kind(j, journal_notice::kind::repaired);
  ASSERT_EQ(mended.size(), 1u);
  EXPECT_EQ(mended[0].bytes, 6u);
  EXPECT_EQ(mended[0].file, "2025/Mar/ossec-alerts-04.json");
  EXPECT_EQ(logs("alerts/2025/Mar/ossec-alerts-04.json"), "{\"whole\":1}\n");
  EXPECT_EQ(j.alerts_json()->end().file, "2025/Mar/ossec-alerts-07.json");
}

TEST_F(JournalFaults, AFileOfAnOlderVersionWithoutAListIsMendedAndListed) {
  scratch.write("logs/alerts/2025/Mar/ossec-alerts-02.json", "old\n");
  scratch.write("logs/alerts/2025/Mar/ossec-alerts-03.json", "a\nhal");
  scratch.write("logs/alerts/2025/Mar/notes.txt", "somebody's");
  auto j = open(all);
  EXPECT_EQ(repaired_bytes(j), 3u);
  EXPECT_EQ(logs("alerts/2025/Mar/ossec-alerts-03.json"), "a\n");
  EXPECT_EQ(logs("alerts/alerts.json.order"), "2025/Mar/ossec-alerts-02.json\n2025/Mar/ossec-alerts-03.json\n"
                                              "2025/Mar/ossec-alerts-04.json\n");
}

TEST_F(JournalFaults, ACompressedPartKeepsItsNumber) {
  scratch.write("logs/alerts/2025/Mar/ossec-alerts-04.json.gz", "packed");
  scratch.write("logs/alerts/2025/Mar/ossec-alerts-04-001.json.gz", "packed");
  auto j = open(all);
  EXPECT_EQ(j.alerts_json()->end().file, "2025/Mar/ossec-alerts-04-002.json");
}

TEST_F(JournalFaults, ARotationThatFailsLeavesTheOldFileInUse) {
  auto j = open(all);
  ASSERT_TRUE(j.append(json("a\n"), at(morning_ms)));
  of_kind(j, journal_notice::kind::begun);
  // A file stands where the directory of April is to be.
  scratch.write("logs/alerts/2025/Apr", "in the way");
  auto april_ms = morning_ms + 30 * day_ms;
  for (int i = 0; i < 5; ++i)
    ASSERT_TRUE(j.append(json("b\n"), at(april_ms + i))) << "better in the old file than not at all";
  for (int i = 0; i < 5; ++i)
    ASSERT_TRUE(j.tick(at(april_ms + 1'000 * i)));
  auto said = of_kind(j, journal_notice::kind::not_rotated);
  ASSERT_EQ(said.size(), 1u) << "once, not with every attempt";
  EXPECT_NE(said[0].problem.where.find("Apr"), std::string::npos) << said[0].problem.where;
  EXPECT_EQ(logs("alerts/2025/Mar/ossec-alerts-04.json"), "a\nb\nb\nb\nb\nb\n");
  std::filesystem::remove(path("alerts/2025/Apr"));
  ASSERT_TRUE(j.tick(at(april_ms + 6'000)));
  ASSERT_TRUE(j.append(json("c\n"), at(april_ms + 6'000)));
  EXPECT_EQ(logs("alerts/2025/Apr/ossec-alerts-03.json"), "c\n");
}

/// What somebody may do to the files, and which text the old one keeps.
struct tampering {
  const char* name;
  void (*act)(const std::filesystem::path& alerts);
};

class JournalTampered : public JournalFaults, public ::testing::WithParamInterface<tampering> {};

TEST_P(JournalTampered, ANewFileIsBegunAndSaid) {
  auto j = open(all);
  ASSERT_TRUE(j.append(json("before\n"), at(morning_ms)));
  of_kind(j, journal_notice::kind::begun);
  GetParam().act(path("alerts"));
  ASSERT_TRUE(j.append(json("after\n"), at(morning_ms + 1)));
  auto said = of_kind(j, journal_notice::kind::replaced);
  ASSERT_EQ(said.size(), 1u);
  EXPECT_EQ(said[0].file, "2025/Mar/ossec-alerts-04.json");
  EXPECT_FALSE(said[0].problem.what.empty());
  EXPECT_EQ(j.alerts_json()->end().file, "2025/Mar/ossec-alerts-04-001.json");
  EXPECT_EQ(newest(), "after\n");
  EXPECT_EQ(logs("alerts/2025/Mar/ossec-alerts-04-001.json"), "after\n");
  ASSERT_TRUE(j.append(json("and on\n"), at(morning_ms + 2)));
  EXPECT_EQ(newest(), "after\nand on\n") << "once";
}

const char* const dated = "2025/Mar/ossec-alerts-04.json";
const tampering tamperings[] = {
    {"Removed", [](const std::filesystem::path& alerts) { std::filesystem::remove(alerts / dated); }},
    {"LiveNameRemoved",
     [](const std::filesystem::path& alerts) { std::filesystem::remove(alerts / "alerts.json"); }},
    {"Renamed",
     [](const std::filesystem::path& alerts) {
       std::filesystem::rename(alerts / dated, alerts / "2025/Mar/old.json");
     }},
    {"LogrotateCreate",
     [](const std::filesystem::path& alerts) {
       std::filesystem::rename(alerts / "alerts.json", alerts / "alerts.json.1");
       std::ofstream{alerts / "alerts.json"};
     }},
    {"LogrotateCopyTruncate",
     [](const std::filesystem::path& alerts) {
       std::filesystem::copy_file(alerts / "alerts.json", alerts / "alerts.json.1");
       std::filesystem::resize_file(alerts / "alerts.json", 0);
     }},
    {"EditedInPlace",
     [](const std::filesystem::path& alerts) {
       std::ofstream{alerts / "alerts.json", std::ios::app} << "a note";
     }},
    {"EditedWithANewInode",
     [](const std::filesystem::path& alerts) {
       std::filesystem::copy_file(alerts / dated, alerts / "x");
       std::filesystem::rename(alerts / "x", alerts / dated);
     }},
    {"Gone", [](const std::filesystem::path& alerts) { std::filesystem::remove_all(alerts); }},
};
INSTANTIATE_TEST_SUITE_P(Each, JournalTampered, ::testing::ValuesIn(tamperings),
                         [](const auto& one) { return std::string{one.param.name}; });

TEST_F(JournalFaults, ABatchThatWasHalfWrittenIsWholeInTheFileThatReplacesIt) {
  auto j = open(all);
  ASSERT_TRUE(j.append(json("a\n"), at(morning_ms)));
  int writes = 0;
  disk->on_write = [&](std::size_t, int& number) -> std::size_t {
    number = ENOSPC;
    return ++writes == 1 ? 3 : 0;
  };
  ASSERT_FALSE(j.append(json("half\n"), at(morning_ms)));
  disk->on_write = nullptr;
  std::filesystem::rename(path("alerts/2025/Mar/ossec-alerts-04.json"), path("alerts/moved.json"));
  ASSERT_TRUE(j.append(json("half\n"), at(morning_ms)));
  EXPECT_EQ(newest(), "half\n");
  EXPECT_EQ(logs("alerts/moved.json"), "a\nhal");
}

TEST_F(JournalFaults, AMovedFileWhoseDiskFailsGivesWhatMayBeLostToTheNewOne) {
  all.strict_sync = true;
  auto j = open(all);
  ASSERT_TRUE(j.append(json("safe\n"), at(morning_ms)));
  disk->on_sync = [] { return EIO; };
  ASSERT_FALSE(j.append(json("doubtful\n"), at(morning_ms)));
  std::filesystem::rename(path("alerts/2025/Mar/ossec-alerts-04.json"), path("alerts/moved.json"));
  auto old = inode("alerts/moved.json");
  bool old_disk_is_broken = true;
  disk->on_sync = [&] { return old_disk_is_broken ? EIO : 0; };
  EXPECT_FALSE(j.append(json("doubtful\n"), at(morning_ms))) << "the list of files cannot be written either";
  old_disk_is_broken = false;
  ASSERT_TRUE(j.append(json("doubtful\n"), at(morning_ms)));
  EXPECT_NE(inode("alerts/alerts.json"), old);
  disk->lose_power();
  EXPECT_EQ(newest(), "doubtful\n") << "it had not been known to be safe in the old file";
}

TEST_F(JournalFaults, TheListOfFilesThatSomebodyRemovedIsWrittenAnew) {
  auto j = open(all);
  ASSERT_TRUE(j.append(json("a\n"), at(morning_ms)));
  std::filesystem::remove(path("alerts/alerts.json.order"));
  ASSERT_TRUE(j.append(json("b\n"), at(morning_ms + day_ms)));
  EXPECT_EQ(logs("alerts/alerts.json.order"),
            "2025/Mar/ossec-alerts-04.json\n2025/Mar/ossec-alerts-05.json\n");
}

} // namespace
} // namespace picket::store
