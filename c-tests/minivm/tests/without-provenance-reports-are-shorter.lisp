; minivm --no-provenance
; The verdicts are the same; who wrote and where is not kept.
(take (ractor nil))
(defconst WRITTEN [[1]])
(vector-push! (vector-ref WRITTEN 0) 2)
(let ((condition (assert-error 'isolation-error (take (ractor WRITTEN)))))
  (assert-equal "WRITTEN" (condition-slot condition))
  (assert-equal nil (condition-write-site condition)))
(defconst READ [[1]])
(take (ractor READ))
(assert-error 'frozen-error (vector-push! (vector-ref READ 0) 2))
