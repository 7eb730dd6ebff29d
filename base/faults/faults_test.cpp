#include "base/faults/faults.hpp"

#include <chrono>
#include <thread>

#include <gtest/gtest.h>

#include "base/telemetry/event_log.hpp"
#include "base/testing/scratch_directory.hpp"
#include "base/time.hpp"

namespace picket {
namespace {

#if PICKET_FAULTS

class Faults : public ::testing::Test {
protected:
  void TearDown() override {
    faults::clear_all();
    ASSERT_TRUE(faults::begin({}, nullptr));
  }

  bool write(std::string_view text) {
    return faults::write(file, text.data(), text.size()) == static_cast<ssize_t>(text.size());
  }

  testing::scratch_directory dir;
  int file = faults::open((dir.path() / "x").c_str(), O_RDWR | O_CREAT, 0600);
};

TEST_F(Faults, ComeFromATextAndGoBackIntoOne) {
  auto log = event_log::silent();
  ASSERT_TRUE(faults::begin("sink-slow-ms=20,crash-on=a b,disk-full", log));
  EXPECT_EQ(faults::value(faults::fault::sink_slow_ms), 20);
  EXPECT_EQ(faults::value(faults::fault::disk_full), 1);
  EXPECT_EQ(faults::as_text(), "sink-slow-ms=20,disk-full=1,crash-on=a b");
  EXPECT_EQ(log->count(log_event::fault_set), 3u) << "nobody shall run such a node without knowing it";
  ASSERT_TRUE(faults::set("disk-full", "off"));
  EXPECT_EQ(faults::as_text(), "sink-slow-ms=20,crash-on=a b");
  faults::clear_all();
  EXPECT_EQ(faults::as_text(), "");
}

TEST_F(Faults, AnUnknownNameOrNoNumberIsAnError) {
  auto unknown = faults::begin("disk-fool=1", nullptr);
  ASSERT_FALSE(unknown);
  EXPECT_EQ(unknown.error().code, errc::fault_unknown);
  EXPECT_NE(unknown.error().mend.find("disk-full"), std::string::npos) << "the names";
  auto no_number = faults::set("sink-slow-ms", "soon");
  ASSERT_FALSE(no_number);
  EXPECT_EQ(no_number.error().code, errc::invalid_argument);
}

TEST_F(Faults, OfTheDisk) {
  EXPECT_TRUE(write("abcd"));
  ASSERT_TRUE(faults::set("disk-error-nth", "3"));
  std::string pattern;
  for (int i = 0; i < 9; ++i)
    pattern += write("x") ? 'x' : errno == EIO ? '-' : '?';
  EXPECT_EQ(pattern, "xx-xx-xx-");
  faults::clear_all();
  ASSERT_TRUE(faults::set("short-write", "1"));
  EXPECT_EQ(faults::write(file, "abcdef", 6), 3);
  EXPECT_EQ(faults::write(file, "a", 1), 1) << "it gets on";
  ASSERT_TRUE(faults::set("disk-full", "1"));
  EXPECT_FALSE(write("x"));
  EXPECT_EQ(errno, ENOSPC);
  faults::clear_all();
  ASSERT_TRUE(faults::set("disk-read-only", "1"));
  EXPECT_FALSE(write("x"));
  EXPECT_EQ(errno, EROFS);
  EXPECT_LT(faults::open((dir.path() / "y").c_str(), O_WRONLY | O_CREAT, 0600), 0);
  EXPECT_GE(faults::open((dir.path() / "x").c_str(), O_RDONLY, 0), 0);
  EXPECT_EQ(faults::sync(file), 0);
  ASSERT_TRUE(faults::set("sync-error", "1"));
  EXPECT_EQ(faults::sync(file), -1);
}

TEST_F(Faults, TheClockIsMoved) {
  auto before_ms = wall_clock_ms();
  ASSERT_TRUE(faults::set("clock-offset-ms", "-3600000"));
  EXPECT_LT(wall_clock_ms(), before_ms - 3'000'000);
}

TEST_F(Faults, WaitingEndsWhenTheFaultDoes) {
  ASSERT_TRUE(faults::set("sink-stopped", "1"));
  ASSERT_TRUE(faults::set("executor-sleep-ms", "600000"));
  std::thread sink{[] { faults::hold(faults::fault::sink_stopped); }};
  std::thread executor{[] { faults::pause(faults::fault::executor_sleep_ms); }};
  faults::clear_all();
  sink.join();
  executor.join();
  ASSERT_TRUE(faults::set("executor-sleep-ms", "1"));
  faults::pause(faults::fault::executor_sleep_ms);
}

TEST_F(Faults, ATextMakesTheEvaluationThrowOrCrash) {
  faults::on_event("any MAGIC line");
  ASSERT_TRUE(faults::set("throw-on", "MAGIC"));
  faults::on_event("another line");
  EXPECT_THROW(faults::on_event("any MAGIC line"), std::exception);
  ASSERT_TRUE(faults::set("crash-on", "MAGIC"));
  EXPECT_EXIT(faults::on_event("any MAGIC line"), ::testing::KilledBySignal(SIGABRT), "");
}

#else

TEST(Faults, ANormalBuildHasNone) {
  EXPECT_FALSE(faults::built_in);
  ::setenv("PICKET_FAULTS", "sink-stopped=1,throw-on=MAGIC", 1);
  ASSERT_TRUE(faults::begin_from_environment(nullptr)) << "nobody listens";
  ::unsetenv("PICKET_FAULTS");
  faults::hold(faults::fault::sink_stopped);
  faults::on_event("any MAGIC line");
  EXPECT_EQ(faults::as_text(), "");
}

#endif

} // namespace
} // namespace picket
