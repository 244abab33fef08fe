; Whoever loses learns of both sides: slot, path, ractors and places in the program.
(defconst WRITTEN-FIRST {:list [1 2]})
(take (ractor nil))
(vector-push! (hash-ref WRITTEN-FIRST :list) 3)
(define loser (assert-error 'isolation-error
                (take (ractor "reader" WRITTEN-FIRST))))
(assert-equal "WRITTEN-FIRST" (condition-slot loser))
(assert-equal "WRITTEN-FIRST[:list]" (condition-path loser))
(assert-equal "conflict-is-reported-with-both-sides.lisp:4" (condition-write-site loser))
(assert-equal "conflict-is-reported-with-both-sides.lisp:6" (condition-read-site loser))
(assert (string-contains? (condition-report loser) "reader"))

(defconst READ-FIRST {:list [1 2]})
(take (ractor "reader" (hash-ref READ-FIRST :list)))
(define other-loser (assert-error 'frozen-error
                      (vector-push! (hash-ref READ-FIRST :list) 3)))
(assert-equal "READ-FIRST" (condition-slot other-loser))
(assert-equal "conflict-is-reported-with-both-sides.lisp:14" (condition-read-site other-loser))
(assert-equal "conflict-is-reported-with-both-sides.lisp:16" (condition-write-site other-loser))
