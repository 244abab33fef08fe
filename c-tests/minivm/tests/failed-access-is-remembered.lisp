; What failed once fails at once, without another walk, until something is assigned.
(define (count name)
  (let ((found 0))
    (for-each (lambda (pair) (if (eq? (car pair) name) (set! found (cdr pair)))) (statistics))
    found))
(define (refused) (try (begin BIG 'read) (catch (e) (condition-kind e))))
(take (ractor (refused)))

(defconst BIG (make-list 1000))
(setcar (last-pair BIG) :changed)
(assert-equal 'isolation-error (take (ractor (refused))))
(assert-equal 1 (count 'walks-blocked))
(assert-equal '(isolation-error isolation-error isolation-error)
              (take (ractor (list (refused) (refused) (refused)))))
(assert-equal 1 (count 'walks-blocked))

(defconst BIG BIG)
(assert-equal 'read (take (ractor (refused))))
(assert-equal 'C (state BIG))
