; The program of the proposal (Ruby Feature #17278), in Lisp:
;
;     A = [1, [2, [3, 4]]]
;     H = {a: "a"}
;     Ractor.new do
;       p A              # A is not actually modified anywhere, so ok
;     end.take
;     H[:b] = "b"        # H was never touched by ractor, so ok

(defconst A [1 [2 [3 4]]])
(defconst H {:a "a"})

(take (ractor
        (print A)))

(hash-set! H :b "b")
(print H)

(say "A is now " (state A) ", shareable; H is now " (state H) ", main's own.")
