fn main() { for seed in 1..=300 { match dtu_sim::run(seed, dtu_sim::Run::default()) { Ok(s) => println!("{seed} {:x}", s.hash), Err(f) => println!("{seed} FAILED {}", f.text) } } }
